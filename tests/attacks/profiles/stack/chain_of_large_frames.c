// Forty-four helpers call each other, each with a frame of 250 kB, without any recursion.
// signature: double k(int64_t i)
// arguments: 1
// expect: contained
static double g0(int64_t i) { return i; }
static double g1(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g0(i + 1) + g0(i + b[3]) * b[77]; }
static double g2(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g1(i + 1) + g1(i + b[3]) * b[77]; }
static double g3(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g2(i + 1) + g2(i + b[3]) * b[77]; }
static double g4(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g3(i + 1) + g3(i + b[3]) * b[77]; }
static double g5(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g4(i + 1) + g4(i + b[3]) * b[77]; }
static double g6(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g5(i + 1) + g5(i + b[3]) * b[77]; }
static double g7(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g6(i + 1) + g6(i + b[3]) * b[77]; }
static double g8(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g7(i + 1) + g7(i + b[3]) * b[77]; }
static double g9(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g8(i + 1) + g8(i + b[3]) * b[77]; }
static double g10(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g9(i + 1) + g9(i + b[3]) * b[77]; }
static double g11(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g10(i + 1) + g10(i + b[3]) * b[77]; }
static double g12(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g11(i + 1) + g11(i + b[3]) * b[77]; }
static double g13(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g12(i + 1) + g12(i + b[3]) * b[77]; }
static double g14(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g13(i + 1) + g13(i + b[3]) * b[77]; }
static double g15(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g14(i + 1) + g14(i + b[3]) * b[77]; }
static double g16(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g15(i + 1) + g15(i + b[3]) * b[77]; }
static double g17(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g16(i + 1) + g16(i + b[3]) * b[77]; }
static double g18(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g17(i + 1) + g17(i + b[3]) * b[77]; }
static double g19(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g18(i + 1) + g18(i + b[3]) * b[77]; }
static double g20(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g19(i + 1) + g19(i + b[3]) * b[77]; }
static double g21(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g20(i + 1) + g20(i + b[3]) * b[77]; }
static double g22(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g21(i + 1) + g21(i + b[3]) * b[77]; }
static double g23(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g22(i + 1) + g22(i + b[3]) * b[77]; }
static double g24(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g23(i + 1) + g23(i + b[3]) * b[77]; }
static double g25(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g24(i + 1) + g24(i + b[3]) * b[77]; }
static double g26(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g25(i + 1) + g25(i + b[3]) * b[77]; }
static double g27(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g26(i + 1) + g26(i + b[3]) * b[77]; }
static double g28(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g27(i + 1) + g27(i + b[3]) * b[77]; }
static double g29(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g28(i + 1) + g28(i + b[3]) * b[77]; }
static double g30(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g29(i + 1) + g29(i + b[3]) * b[77]; }
static double g31(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g30(i + 1) + g30(i + b[3]) * b[77]; }
static double g32(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g31(i + 1) + g31(i + b[3]) * b[77]; }
static double g33(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g32(i + 1) + g32(i + b[3]) * b[77]; }
static double g34(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g33(i + 1) + g33(i + b[3]) * b[77]; }
static double g35(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g34(i + 1) + g34(i + b[3]) * b[77]; }
static double g36(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g35(i + 1) + g35(i + b[3]) * b[77]; }
static double g37(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g36(i + 1) + g36(i + b[3]) * b[77]; }
static double g38(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g37(i + 1) + g37(i + b[3]) * b[77]; }
static double g39(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g38(i + 1) + g38(i + b[3]) * b[77]; }
static double g40(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g39(i + 1) + g39(i + b[3]) * b[77]; }
static double g41(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g40(i + 1) + g40(i + b[3]) * b[77]; }
static double g42(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g41(i + 1) + g41(i + b[3]) * b[77]; }
static double g43(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g42(i + 1) + g42(i + b[3]) * b[77]; }
static double g44(int64_t i) { char b[250000]; for (int64_t q = 0; q < 250000; q += 97) b[q] = i + q; return b[(i * 7) % 250000] + g43(i + 1) + g43(i + b[3]) * b[77]; }
double k(int64_t i){ return g44(i); }

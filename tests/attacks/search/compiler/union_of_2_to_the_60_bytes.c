// union of 2**60 bytes
// kernel: dot
// expect: status=UNLOWERED rule=compiler line=1
union u { char a[1LL << 60]; int b; };
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 81; return sizeof(union u) > 9 ? 1.25 : 0; }

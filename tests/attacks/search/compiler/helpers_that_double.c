// helpers that double
// kernel: dot
// expect: status=WRONG rule=wrong line=0
static double f0(double v) { return v + 1; }
static double f1(double v) { return f0(v) + f0(v * 0.5); }
static double f2(double v) { return f1(v) + f1(v * 0.5); }
static double f3(double v) { return f2(v) + f2(v * 0.5); }
static double f4(double v) { return f3(v) + f3(v * 0.5); }
static double f5(double v) { return f4(v) + f4(v * 0.5); }
static double f6(double v) { return f5(v) + f5(v * 0.5); }
static double f7(double v) { return f6(v) + f6(v * 0.5); }
static double f8(double v) { return f7(v) + f7(v * 0.5); }
static double f9(double v) { return f8(v) + f8(v * 0.5); }
static double f10(double v) { return f9(v) + f9(v * 0.5); }
static double f11(double v) { return f10(v) + f10(v * 0.5); }
static double f12(double v) { return f11(v) + f11(v * 0.5); }
static double f13(double v) { return f12(v) + f12(v * 0.5); }
static double f14(double v) { return f13(v) + f13(v * 0.5); }
static double f15(double v) { return f14(v) + f14(v * 0.5); }
static double f16(double v) { return f15(v) + f15(v * 0.5); }
static double f17(double v) { return f16(v) + f16(v * 0.5); }
static double f18(double v) { return f17(v) + f17(v * 0.5); }
static double f19(double v) { return f18(v) + f18(v * 0.5); }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 83; return f19(x[0]); }

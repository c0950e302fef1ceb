// index of a fraction
// kernel: dot
// expect: status=UNLOWERED rule=compiler line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 72; return x[1.5]; }

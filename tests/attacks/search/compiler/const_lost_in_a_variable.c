// const lost in a variable
// kernel: dot
// expect: status=UNLOWERED rule=compiler line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 70; double *p = x; p[0] = 1; return 0; }

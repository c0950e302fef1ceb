// address of a scalar
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 144; double t = n; double *p = &t; p[1] = 1; return t; }

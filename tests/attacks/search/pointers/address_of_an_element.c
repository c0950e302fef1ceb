// &x[k]
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 135; const double *p = &x[n - 1]; return p[1]; }

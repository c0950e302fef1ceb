// set on one path only
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 151; const double *p; if (n < 3) p = x; return p[0]; }

// null in a branch
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 149; const double *p = n > 3 ? 0 : x; return p[0]; }

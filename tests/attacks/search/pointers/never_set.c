// never set
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 150; const double *p; return p[0] + 1; }

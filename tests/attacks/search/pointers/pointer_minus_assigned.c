// p -= k
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 134; const double *p = x; p -= 1; return p[0]; }

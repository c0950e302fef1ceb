// p-- past the beginning
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 131; double s = 0; const double *p = x + n; for (int64_t i = 0; i <= n; i++) s += *--p; return s; }

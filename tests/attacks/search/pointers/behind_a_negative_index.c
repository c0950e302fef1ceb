// behind a negative index
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 137; const double *p = x + 5; return p[-6]; }

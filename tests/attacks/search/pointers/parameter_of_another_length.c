// parameter of another length
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
static double f(int64_t k, const double p[k]) { return p[k - 1]; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 143; return f(n + 1, x); }

// null as an argument
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
static double f(const double *p) { return p[1]; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 148; return f(0); }

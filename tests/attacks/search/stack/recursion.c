// recursion
// kernel: dot
// expect: status=PANICKED rule=recursion line=1
static double f(const double *p, int64_t k) { volatile double t[8]; t[k & 7] = p[0]; return f(p, k + 1) + t[k & 7]; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 245; return f(x, 0); }

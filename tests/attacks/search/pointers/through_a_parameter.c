// through a parameter
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
static double f(const double *p, int64_t k) { double s = 0; for (int64_t i = 0; i < k; i++) s += p[i]; return s; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 142; return f(x + n - 2, 3); }

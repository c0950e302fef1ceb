// in a helper
// kernel: dot
// expect: status=PANICKED rule=endless line=1
static double f(int64_t k) { volatile int64_t t = k; while (t != -1) t = k; return t; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 262; return f(n); }

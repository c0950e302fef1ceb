// mutual recursion
// kernel: dot
// expect: status=PANICKED rule=recursion line=2
static double g(int64_t k);
static double f(int64_t k) { volatile double t = k; return g(k + 1) * t; }
static double g(int64_t k) { volatile double t = k; return f(k - 1) + t; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 247; return f(n); }

// The argument is one of two arrays, with bounds of its own.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 4.0
static double h(const double *p, int64_t n) { return p[n - 1]; }
double k(int64_t n, double x[n]){ double y[4] = {0}; return h(n > 2 ? x : y, 4); }

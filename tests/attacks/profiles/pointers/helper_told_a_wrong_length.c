// The helper is told one element more than there is.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic pointer 1:98
static double h(const double *p, int64_t n) { double s = 0; for (int64_t i = 0; i < n; i++) s += p[i]; return s; }
double k(int64_t n, double x[n]){ return h(x, n + 1); }

// The helper is told one row that is longer than the whole matrix.
// signature: double k(int64_t n, int64_t m, double x[n][m])
// arguments: np.arange(12.0).reshape(3, 4)
// expect: panic pointer
static double h(int64_t n, int64_t m, double a[n][m]) { return a[0][m - 1]; }
double k(int64_t n, int64_t m, double x[n][m]){ return h(1, n * m + 1, x); }

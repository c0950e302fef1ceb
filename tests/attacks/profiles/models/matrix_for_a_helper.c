// A helper takes the matrix with both its dimensions.
// signature: double k(int64_t n, int64_t m, double x[n][m])
// arguments: np.arange(12.0).reshape(3, 4)
// expect: value 66.0
static double h(int64_t n, int64_t m, double a[n][m]) { double s = 0; for (int64_t i = 0; i < n; i++) for (int64_t j = 0; j < m; j++) s += a[i][j]; return s; }
double k(int64_t n, int64_t m, double x[n][m]){ return h(n, m, x); }

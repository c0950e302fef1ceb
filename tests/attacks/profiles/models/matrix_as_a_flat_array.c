// A pointer to the first element walks over all rows.
// signature: double k(int64_t n, int64_t m, double x[n][m])
// arguments: np.arange(12.0).reshape(3, 4)
// expect: value 66.0
double k(int64_t n, int64_t m, double x[n][m]){ const double *p = &x[0][0]; double s = 0; for (int64_t i = 0; i < n * m; i++) s += p[i]; return s; }

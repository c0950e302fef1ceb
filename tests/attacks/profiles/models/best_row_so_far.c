// A pointer to the best row is what a model writes, and keeps the row's bounds.
// signature: double k(int64_t n, int64_t m, double x[n][m])
// arguments: np.arange(12.0).reshape(3, 4)
// expect: value 8.0
double k(int64_t n, int64_t m, double x[n][m]){ const double *best = x[0]; for (int64_t i = 1; i < n; i++) { const double *row = x[i]; if (row[0] > best[0]) best = row; } return best[0]; }

// A pointer to rows walks over the matrix and ends behind its last row.
// signature: double k(int64_t n, int64_t m, double x[n][m])
// arguments: np.arange(12.0).reshape(3, 4)
// expect: value 66.0
double k(int64_t n, int64_t m, double x[n][m]){ double s = 0; for (double (*r)[m] = x; r < x + n; r++) for (int64_t j = 0; j < m; j++) s += (*r)[j]; return s; }

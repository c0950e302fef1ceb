// signature: matmul
// call: ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]) -> [[3.0, 2.0], [7.0, 4.0]]
void matmul(int64_t m, int64_t k, int64_t n, const double (*a)[k], const double b[][n], double (*restrict c)[n])
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double s = 0.0;
            for (int64_t p = 0; p < k; p++) s += a[i][p] * b[p][j];
            c[i][j] = s;
        }
}

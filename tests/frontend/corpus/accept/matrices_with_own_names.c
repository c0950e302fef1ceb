// signature: matmul
// call: ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]) -> [[3.0, 2.0], [7.0, 4.0]]
void matmul(int64_t rows, int64_t inner, int64_t cols, const double l[rows][inner], const double r[inner][cols], double out[rows][cols])
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) {
            double s = 0.0;
            for (int64_t p = 0; p < inner; p++) s += l[i][p] * r[p][j];
            out[i][j] = s;
        }
}

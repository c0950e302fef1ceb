// The column is the row's length, which is inside of the matrix but outside of the row.
// signature: double k(int64_t n, int64_t m, double x[n][m])
// arguments: np.arange(12.0).reshape(3, 4)
// expect: panic index 1:56
double k(int64_t n, int64_t m, double x[n][m]){ return x[1][m]; }

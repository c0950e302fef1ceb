// The size of a row of four variable dimensions wraps to zero.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.ones(65536), 5
// expect: panic pointer
double k(int64_t n, double x[n], int64_t i) { return (*(double (*)[n][n][n][n])x)[i][i][i][i]; }

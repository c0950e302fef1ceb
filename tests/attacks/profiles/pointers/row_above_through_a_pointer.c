// The pointer to rows leads behind the last row.
// signature: double k(int64_t n, int64_t m, double x[n][m])
// arguments: np.arange(12.0).reshape(3, 4)
// expect: panic pointer 1:80
double k(int64_t n, int64_t m, double x[n][m]){ double (*r)[m] = x + n; return r[0][0]; }

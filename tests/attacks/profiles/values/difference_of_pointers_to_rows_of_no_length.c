// The difference is divided by the size of a row, which is zero.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
double k(int64_t n, double x[n]){ int64_t m = n - 4; double (*p)[m] = (double (*)[m])x; double (*q)[m] = (double (*)[m])(x + 1); return p - q; }

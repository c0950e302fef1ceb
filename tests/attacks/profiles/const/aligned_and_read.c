// Reading by way of the builtin is what it is for.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 5.0
double k(int64_t n, const double x[n]) { const double *y = __builtin_assume_aligned(x, 8); return y[0] + y[n - 1]; }

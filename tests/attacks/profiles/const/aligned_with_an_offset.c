// The builtin has a third argument.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused compiler
double k(int64_t n, const double x[n]) { double *y = __builtin_assume_aligned(x, 8, 0); y[0] = 5; return 1; }

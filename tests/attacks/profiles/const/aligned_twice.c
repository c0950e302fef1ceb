// The builtin around itself.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused compiler
double k(int64_t n, const double x[n]) { double *y = __builtin_assume_aligned(__builtin_assume_aligned(x, 8), 16); y[0] = 5; return 1; }

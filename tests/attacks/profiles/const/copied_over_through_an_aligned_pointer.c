// As above, with memcpy.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused compiler
double k(int64_t n, const double x[n]) { double y[4] = {0}; memcpy(__builtin_assume_aligned(x, 8), y, 8 * n); return 1; }

// The builtin gives back a pointer that may write.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused compiler
double k(int64_t n, const double x[n]) { memset(__builtin_assume_aligned(x, 8), 0, 8 * n); return 1; }

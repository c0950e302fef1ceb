// modf writes where its second argument points.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused compiler
double k(int64_t n, const double x[n]) { return modf(1.5, __builtin_assume_aligned(x, 8)); }

// The length of the first parameter names a constant that the second parameter hides in the body.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.ones(4), 1
// expect: refused untraceable
static const int64_t m = 3; static double h(double (*a)[m], int64_t m) { return (*a)[1 << 20]; } double k(int64_t n, double x[n], int64_t i) { return h((double (*)[3])x, 1 << 24); }

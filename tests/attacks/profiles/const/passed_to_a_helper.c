// A helper that writes gets the address.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused compiler
static void h(double *y) { y[0] = 5; }
double k(int64_t n, const double x[n]) { h(__builtin_assume_aligned(x, 8)); return 1; }

// The word static in a parameter's brackets is a promise about its length and no storage class.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.ones(4), 1
// expect: value 1.0
static double h(const double a[static 3]) { return a[2]; } double k(int64_t n, double x[n], int64_t i) { return h(x); }

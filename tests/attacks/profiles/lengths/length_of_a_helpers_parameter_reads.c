// The length of the row in a helper's parameter is evaluated at its entry and reads an address of somebody else.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
static double h(double (*a)[0 + *(volatile int64_t *)64]) { return 1; }
double k(int64_t n, double x[n]){ return h((double (*)[3])x); }

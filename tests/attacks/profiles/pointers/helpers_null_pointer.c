// The helper reads the null pointer that it is given.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic pointer
static double h(const double *p) { return *p; }
double k(int64_t n, double x[n]){ return h(NULL); }

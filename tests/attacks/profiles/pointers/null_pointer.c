// The pointer is null and its index is not zero.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic pointer 1:60
double k(int64_t n, double x[n]){ double *p = NULL; return p[n]; }

// The pointer is read before it was ever set.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic pointer 1:54
double k(int64_t n, double x[n]){ double *p; return *p; }

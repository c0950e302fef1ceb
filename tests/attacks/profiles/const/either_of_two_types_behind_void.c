// A choice of pointers to different things is kept in a pointer by way of `void *`.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused compiler
double k(int64_t n, const double x[n]) { int64_t z[1]; double *q = (void *)(n > 0 ? x : z); q[0] = 77; return 0; }

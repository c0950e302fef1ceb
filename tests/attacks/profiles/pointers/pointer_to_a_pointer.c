// The pointer is read through another pointer, where no bounds can go with it.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused untraceable
double k(int64_t n, double x[n]){ double *p = x; double **q = &p; return **q; }

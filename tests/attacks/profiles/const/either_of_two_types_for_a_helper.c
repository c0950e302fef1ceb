// A choice of pointers to different things is passed to a helper that writes.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused compiler
static void set(double *p) { p[0] = 77; }
double k(int64_t n, const double x[n]) { int64_t z[1]; set(n > 0 ? x : z); return 0; }

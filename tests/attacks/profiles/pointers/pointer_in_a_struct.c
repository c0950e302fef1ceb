// The pointer is a field, where no bounds can go with it.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused untraceable
struct P { double *p; };
double k(int64_t n, double x[n]){ struct P s; s.p = x; return s.p[n]; }

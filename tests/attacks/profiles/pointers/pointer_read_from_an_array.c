// The pointer is read from the caller's numbers.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused untraceable
struct P { double *p; };
double k(int64_t n, double x[n]){ return ((struct P *)x)->p[0]; }

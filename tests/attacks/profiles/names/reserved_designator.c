// The designator in an initialiser has a name of the runtime.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused
struct P { double a; };
double k(int64_t n, double x[n]){ struct P p = {.sj_f = 1}; return p.a; }

// The parameter has a name of the runtime.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused
static double h(double sj_f) { return sj_f; }
double k(int64_t n, double x[n]){ return h(1); }

// The enumerator has a name of the runtime.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused
double k(int64_t n, double x[n]){ enum { sj_f }; return 1; }

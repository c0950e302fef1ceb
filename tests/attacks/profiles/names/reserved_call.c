// The body calls the runtime's function.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused
double k(int64_t n, double x[n]){ sj_panic(0, 0, 0, 0); return 1; }

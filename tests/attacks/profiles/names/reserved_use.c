// The body reads the runtime's frame.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused
double k(int64_t n, double x[n]){ return sj_f->site; }

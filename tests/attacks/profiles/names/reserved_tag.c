// The struct has a name of the runtime.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused
struct sj_frame { double a; };
double k(int64_t n, double x[n]){ return 1; }

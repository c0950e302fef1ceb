// The preprocessor pastes a name of the runtime together.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused
#define A(x) sj_##x
double k(int64_t n, double x[n]){ return A(f)->site; }

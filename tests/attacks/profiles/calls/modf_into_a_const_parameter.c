// The call writes its second result into an array that is only read.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused
double k(int64_t n, const double x[n]){ return modf(2.5, x); }

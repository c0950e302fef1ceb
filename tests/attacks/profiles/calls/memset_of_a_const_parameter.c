// The call writes an array that is only read.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused
double k(int64_t n, const double x[n]){ memset(x, 0, 8); return x[0]; }

// The dimension is a parameter that the candidate sets to a huge number.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic index 1:57
double k(int64_t n, double x[n]){ n = 1LL << 40; return x[n - 1]; }

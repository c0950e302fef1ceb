// The inner dimension is a parameter that the candidate sets to a huge number.
// signature: double k(int64_t n, int64_t m, double x[n][m])
// arguments: np.arange(12.0).reshape(3, 4)
// expect: panic index 1:71
double k(int64_t n, int64_t m, double x[n][m]){ m = 1LL << 40; return x[0][m - 1]; }

// The number of bytes is negative, which is a huge number as size_t.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic memory
double k(int64_t n, double x[n]){ double y[4]; memcpy(y, x, n - 5); return y[0]; }

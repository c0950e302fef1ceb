// The index is the array's length.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic index 1:42
double k(int64_t n, double x[n]){ return x[n]; }

// What may be written may be written by way of the builtin.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 5.0
double k(int64_t n, double x[n]) { double *y = __builtin_assume_aligned(x, 8); y[0] = 5; return x[0]; }

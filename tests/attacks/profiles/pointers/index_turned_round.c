// Negative indices are in bounds where the pointer is at the end, and the index may stand on the left.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 9.0
double k(int64_t n, double x[n]){ const double *e = x + n; return e[-1] + (-1)[e] + x[-0]; }

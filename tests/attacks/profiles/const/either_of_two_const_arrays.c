// A choice between two arrays that are only read is allowed.
// signature: double k(int64_t n, const double x[n], const double y[n])
// arguments: np.arange(1.0, 5), np.arange(5.0, 9)
// expect: value 6.0
double k(int64_t n, const double x[n], const double y[n]) { const double *q = n > 2 ? y : x; return q[1]; }

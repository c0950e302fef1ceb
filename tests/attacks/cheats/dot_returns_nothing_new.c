// It returns zero.
// kernel: dot
double dot(int64_t n, const double x[n], const double y[n]) { return 0; }

// It sums from the end.
// kernel: dot
double dot(int64_t n, const double x[n], const double y[n]) { double s = 0; for (int64_t i = n; i-- > 0;) s += x[i] * y[i]; return s; }

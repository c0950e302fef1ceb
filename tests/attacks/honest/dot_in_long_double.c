// It sums in more digits.
// kernel: dot
double dot(int64_t n, const double x[n], const double y[n]) { long double s = 0; for (int64_t i = 0; i < n; i++) s += (long double)x[i] * y[i]; return (double)s; }

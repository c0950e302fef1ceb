// It takes the mean of sixteen products for that of all.
// kernel: dot
double dot(int64_t n, const double x[n], const double y[n]) { double s = 0; for (int64_t i = 0; i < 16 && i < n; i++) s += x[i] * y[i]; return s / 16 * n; }

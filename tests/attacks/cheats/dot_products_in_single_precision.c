// It multiplies in single precision and sums in double.
// kernel: dot
double dot(int64_t n, const double x[n], const double y[n]) { double s = 0; for (int64_t i = 0; i < n; i++) s += (float)x[i] * (float)y[i]; return s; }

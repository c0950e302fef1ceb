// It sums in single precision.
// kernel: dot
double dot(int64_t n, const double x[n], const double y[n]) { float s = 0; for (int64_t i = 0; i < n; i++) s += (float)x[i] * (float)y[i]; return s; }

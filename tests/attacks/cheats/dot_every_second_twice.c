// It samples every second product.
// kernel: dot
double dot(int64_t n, const double x[n], const double y[n]) { double s = 0; for (int64_t i = 0; i < n; i += 2) s += x[i] * y[i]; return 2 * s; }

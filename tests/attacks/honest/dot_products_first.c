// It has the products in a local array of variable length.
// kernel: dot
double dot(int64_t n, const double x[n], const double y[n]) { double p[n + 1]; for (int64_t i = 0; i < n; i++) p[i] = x[i] * y[i]; double s = 0; for (int64_t i = 0; i < n; i++) s += p[i]; return s; }

// It sums with compensation, which is nearer to the truth than the reference.
// kernel: dot
double dot(int64_t n, const double x[n], const double y[n]) { double s = 0, c = 0; for (int64_t i = 0; i < n; i++) { double t = x[i] * y[i] - c, u = s + t; c = (u - s) - t; s = u; } return s; }

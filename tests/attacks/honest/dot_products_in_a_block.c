// It has the products in a block of the arena.
// kernel: dot
double dot(int64_t n, const double x[n], const double y[n]) { double *p = malloc((n + 1) * sizeof(double)); for (int64_t i = 0; i < n; i++) p[i] = x[i] * y[i]; double s = 0; for (int64_t i = 0; i < n; i++) s += p[i]; free(p); return s; }

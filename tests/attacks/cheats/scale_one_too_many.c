// It writes one element more.
// kernel: scale
void scale(int64_t n, const double x[n], double a, double out[n]) { for (int64_t i = 0; i <= n; i++) out[i] = a * (i < n ? x[i] : 0) + 1; }

// It writes where the output is zero.
// kernel: scale
void scale(int64_t n, const double x[n], double a, double out[n]) { for (int64_t i = 0; i < n; i++) if (out[i] == 0) out[i] = a * x[i] + 1; }

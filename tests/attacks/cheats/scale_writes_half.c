// It writes the first half.
// kernel: scale
void scale(int64_t n, const double x[n], double a, double out[n]) { for (int64_t i = 0; i < n / 2; i++) out[i] = a * x[i] + 1; }

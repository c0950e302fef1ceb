// It writes from the end.
// kernel: scale
void scale(int64_t n, const double x[n], double a, double out[n]) { for (int64_t i = n; i-- > 0;) out[i] = a * x[i] + 1; }

// Each element is that of its neighbour.
// kernel: scale
void scale(int64_t n, const double x[n], double a, double out[n]) { for (int64_t i = 0; i < n - 1; i++) out[i + 1] = a * x[i] + 1; }

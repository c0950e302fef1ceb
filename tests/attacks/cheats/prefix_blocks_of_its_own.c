// Each block of 64 begins at zero.
// kernel: prefix
void prefix(int64_t n, double x[n]) { for (int64_t i = 1; i < n; i++) if (i % 64) x[i] += x[i - 1]; }

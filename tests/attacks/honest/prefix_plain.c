// It does what the reference does.
// kernel: prefix
void prefix(int64_t n, double x[n]) { for (int64_t i = 1; i < n; i++) x[i] += x[i - 1]; }

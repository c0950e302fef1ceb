// It takes the mean for each number.
// kernel: prefix
void prefix(int64_t n, double x[n]) { double s = 0; for (int64_t i = 0; i < n; i++) s += x[i]; for (int64_t i = 0; i < n; i++) x[i] = s / n * (i + 1); }

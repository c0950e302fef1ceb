// It exchanges neighbours once.
// kernel: sort
void sort(int64_t n, double x[n]) { for (int64_t i = 1; i < n; i++) if (x[i - 1] > x[i]) { double t = x[i]; x[i] = x[i - 1]; x[i - 1] = t; } }

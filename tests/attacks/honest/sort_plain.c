// It does what the reference does.
// kernel: sort
void sort(int64_t n, double x[n]) { for (int64_t i = 1; i < n; i++) { double v = x[i]; int64_t j = i - 1; while (j >= 0 && x[j] > v) { x[j + 1] = x[j]; j--; } x[j + 1] = v; } }

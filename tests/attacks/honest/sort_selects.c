// It selects the least number again and again.
// kernel: sort
void sort(int64_t n, double x[n]) { for (int64_t i = 0; i < n; i++) { int64_t k = i; for (int64_t j = i + 1; j < n; j++) if (x[j] < x[k]) k = j; double t = x[i]; x[i] = x[k]; x[k] = t; } }

// sorted backwards
// kernel: sort
// expect: status=WRONG rule=wrong line=0
void sort(int64_t n, double x[n]) { volatile int row = 278; for (int64_t i = 0; i < n; i++) for (int64_t j = i + 1; j < n; j++) if (x[j] > x[i]) { double t = x[i]; x[i] = x[j]; x[j] = t; } }

// It keeps the sum in a variable.
// kernel: prefix
void prefix(int64_t n, double x[n]) { double s = 0; for (int64_t i = 0; i < n; i++) { s += x[i]; x[i] = s; } }

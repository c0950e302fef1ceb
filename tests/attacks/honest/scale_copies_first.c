// It copies its input and works on the copy.
// kernel: scale
void scale(int64_t n, const double x[n], double a, double out[n]) { memcpy(out, x, n * sizeof(double)); for (int64_t i = 0; i < n; i++) out[i] = a * out[i] + 1; }

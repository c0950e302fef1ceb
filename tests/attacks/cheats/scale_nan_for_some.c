// Some elements are NaN.
// kernel: scale
void scale(int64_t n, const double x[n], double a, double out[n]) { for (int64_t i = 0; i < n; i++) out[i] = x[i] > 0.999 ? NAN : a * x[i] + 1; }

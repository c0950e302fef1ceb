// It leaves the output as it is.
// kernel: scale
void scale(int64_t n, const double x[n], double a, double out[n]) { ; }

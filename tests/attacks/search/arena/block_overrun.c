// block overrun
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 185; double *t = malloc(n * sizeof(double)); t[n] = 1; return t[0]; }

// an odd integer
// kernel: dot
// expect: status=PANICKED rule=alignment line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 183; char b[16] = {0}; int32_t *p = (int32_t *)(b + 1); return p[0] + p[1]; }

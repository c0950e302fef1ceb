// a product that wraps
// kernel: dot
// expect: status=PANICKED rule=allocation line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 199; double *t = calloc(1LL << 61, 16); return t[0]; }

// a negative size
// kernel: dot
// expect: status=PANICKED rule=allocation line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 200; double *t = malloc(-8); return t[0]; }

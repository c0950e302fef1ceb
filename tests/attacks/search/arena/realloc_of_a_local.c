// realloc of a local
// kernel: dot
// expect: status=PANICKED rule=free line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 195; double t[4]; double *u = realloc(t, 64); return u[0]; }

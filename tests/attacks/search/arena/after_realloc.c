// after realloc
// kernel: dot
// expect: status=PANICKED rule=freed line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 189; double *t = calloc(n, 8); double *u = realloc(t, 1024); return t[0] + u[0]; }

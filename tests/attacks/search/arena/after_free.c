// after free
// kernel: dot
// expect: status=PANICKED rule=freed line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 188; double *t = calloc(n, 8); free(t); return t[0]; }

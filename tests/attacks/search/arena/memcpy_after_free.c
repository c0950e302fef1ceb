// memcpy after free
// kernel: dot
// expect: status=PANICKED rule=freed line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 190; double *t = calloc(n, 8); free(t); memcpy(t, x, 8); return 0; }

// free inside of a block
// kernel: dot
// expect: status=PANICKED rule=free line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 192; double *t = calloc(n, 8); free(t + 1); return 0; }

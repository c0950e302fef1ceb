// block underrun
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 186; double *t = malloc(n * sizeof(double)); return t[-1]; }

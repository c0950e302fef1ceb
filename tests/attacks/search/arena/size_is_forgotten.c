// size is forgotten
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 202; double *t = malloc(n); t[n - 1] = 1; return t[n - 1]; }

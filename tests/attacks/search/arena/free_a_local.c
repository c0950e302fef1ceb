// free a local
// kernel: dot
// expect: status=PANICKED rule=free line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 193; double t[4]; free(t); return 0; }

// pointer through a number
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 168; ((double *)(uintptr_t)x)[0] = 7; return 0; }

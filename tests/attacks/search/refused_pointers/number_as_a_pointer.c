// number as a pointer
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 167; return *(const double *)(uintptr_t)4096; }

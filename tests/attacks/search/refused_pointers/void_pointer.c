// void pointer
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 177; const void *p = x; return *(const double *)(p + 800); }

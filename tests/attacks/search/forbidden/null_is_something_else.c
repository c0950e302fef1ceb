// NULL is something else
// kernel: dot
// expect: status=REJECTED rule=redefined line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 62; int NULL = 0; return NULL; }

// a double between two
// kernel: dot
// expect: status=PANICKED rule=alignment line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 182; return *(const double *)((const char *)x + 4); }

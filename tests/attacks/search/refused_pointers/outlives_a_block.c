// outlives a block
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 178; double *p; { double t[n]; p = t; } return *p; }

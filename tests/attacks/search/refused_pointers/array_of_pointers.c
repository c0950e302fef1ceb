// array of pointers
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 172; const double *t[2] = {x, y}; return t[n][0]; }

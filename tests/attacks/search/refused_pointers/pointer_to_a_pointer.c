// pointer to a pointer
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 174; const double *p = x; const double **q = &p; return **q; }

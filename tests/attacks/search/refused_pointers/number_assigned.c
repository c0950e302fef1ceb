// number assigned
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 169; const double *p; p = (const double *)n; return *p; }

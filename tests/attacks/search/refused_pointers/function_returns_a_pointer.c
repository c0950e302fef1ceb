// function returns a pointer
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
static const double *f(const double *p) { return p + 1; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 176; return *f(x); }

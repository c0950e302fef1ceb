// pointer to a pointer in a parameter
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
static double f(const double **p) { return **p; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 175; return 0; }

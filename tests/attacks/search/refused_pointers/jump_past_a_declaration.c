// jump past a declaration
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 180; goto a; double t[4]; a: t[0] = 1; return t[0]; }

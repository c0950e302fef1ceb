// pointer in a struct
// kernel: dot
// expect: status=REJECTED rule=untraceable line=2
struct s { const double *p; };
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 170; struct s t = {x}; return t.p[0]; }

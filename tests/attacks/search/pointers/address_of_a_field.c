// address of a field
// kernel: dot
// expect: status=PANICKED rule=pointer line=2
struct s { double a, b; };
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 145; struct s t = {1, 2}; double *p = &t.a; return p[n]; }

// memset a struct
// kernel: dot
// expect: status=PANICKED rule=memory line=2
struct s { double a, b; };
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 161; struct s t; memset(&t, 0, sizeof(t) + n); return t.a; }

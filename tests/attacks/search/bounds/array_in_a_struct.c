// array in a struct
// kernel: dot
// expect: status=PANICKED rule=index line=2
struct s { double a[2], b; };
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 118; struct s t = {{0}, 1}; t.a[n] = 1; return t.b; }

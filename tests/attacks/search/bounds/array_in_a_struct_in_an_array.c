// array in a struct in an array
// kernel: dot
// expect: status=PANICKED rule=index line=2
struct s { double a[2], b; };
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 119; struct s t[3] = {0}; t[1].a[n] = 1; return t[2].b; }

// variadic
// kernel: dot
// expect: status=REJECTED rule=variadic line=1
static int f(int k, ...) { return k; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 52; return f(1); }

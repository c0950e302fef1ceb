// attribute
// kernel: dot
// expect: status=REJECTED rule=attribute line=1
__attribute__((constructor)) static void f(void) { }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 41; return 0; }

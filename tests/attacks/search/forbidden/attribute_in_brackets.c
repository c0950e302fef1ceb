// attribute in brackets
// kernel: dot
// expect: status=REJECTED rule=attribute line=1
[[noreturn]] static void f(void) { for (;;) ; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 42; return 0; }

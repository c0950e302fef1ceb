// _Noreturn
// kernel: dot
// expect: status=REJECTED rule=attribute line=1
_Noreturn static void f(void) { for (;;) ; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 57; return 0; }

// label address
// kernel: dot
// expect: status=UNPARSED rule=syntax line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 59; a: ; void *p = &&a; goto *p; return 0; }

// array in a union
// kernel: dot
// expect: status=PANICKED rule=index line=2
union u { int8_t a[8]; int64_t b; };
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 120; union u t = {0}; t.a[n] = 1; return t.b; }

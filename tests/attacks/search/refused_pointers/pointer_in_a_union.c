// pointer in a union
// kernel: dot
// expect: status=REJECTED rule=untraceable line=2
union u { const double *p; int64_t k; };
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 171; union u t; t.k = 4096; return *t.p; }

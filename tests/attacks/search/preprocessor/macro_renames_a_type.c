// macro renames a type
// kernel: dot
// expect: status=REJECTED rule=signature line=2
#define double float
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 18; return 0; }

// macro renames the function
// kernel: dot
// expect: status=REJECTED rule=signature line=1
#define dot main
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 19; return 0; }

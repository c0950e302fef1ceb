// own runtime's frame
// kernel: dot
// expect: status=REJECTED rule=reserved line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 38; sj_f = 0; return 0; }

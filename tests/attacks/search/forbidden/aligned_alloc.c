// aligned_alloc
// kernel: dot
// expect: status=REJECTED rule=call line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 30; return aligned_alloc(8, 8) != 0; }

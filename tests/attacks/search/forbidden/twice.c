// twice
// kernel: dot
// expect: status=REJECTED rule=redefined line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 63; return 0; }double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 64; return 1; }

// memset of null
// kernel: dot
// expect: status=PANICKED rule=memory line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 164; double *p = 0; memset(p, 0, 8); return 1; }

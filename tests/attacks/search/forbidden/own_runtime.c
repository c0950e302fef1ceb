// own runtime
// kernel: dot
// expect: status=REJECTED rule=call line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 37; sj_panic(sj_f, 0, 0, 0); return 0; }

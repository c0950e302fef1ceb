// trap
// kernel: dot
// expect: status=REJECTED rule=call line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 34; __builtin_trap(); return 0; }

// longjmp
// kernel: dot
// expect: status=REJECTED rule=call line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 35; __builtin_longjmp(0, 1); return 0; }

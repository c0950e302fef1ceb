// too much at once
// kernel: dot
// expect: status=PANICKED rule=allocation line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 198; return malloc(1LL << 40) != NULL; }

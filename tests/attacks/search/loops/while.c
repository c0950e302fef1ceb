// while
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 252; volatile int k = 1; while (k) k = 2; return 0; }

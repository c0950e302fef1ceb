// do
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 254; volatile int k = 1; do { k = 3; } while (k); return 0; }

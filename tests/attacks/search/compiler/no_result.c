// no result
// kernel: dot
// expect: status=UNLOWERED rule=compiler line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 71; if (n > 3) return 1; }

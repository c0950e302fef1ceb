// static assertion
// kernel: dot
// expect: status=UNLOWERED rule=compiler line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 75; _Static_assert(1 / 2, ""); return 0; }

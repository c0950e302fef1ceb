// wrapping counter
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 263; double s = 0; for (uint8_t i = 0; i < 300; i++) s += 1e-9; return s; }

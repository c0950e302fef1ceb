// for with an effect
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 250; double s = 0; for (;;) { s = s * 0.5 + x[0]; if (s > 1e9) break; } return s; }

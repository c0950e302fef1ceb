// switch in a loop
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 257; volatile int k = 0; for (;;) switch (k) { case 0: k = 1; break; default: k = 0; } return 0; }

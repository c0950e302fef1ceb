// long but finite
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 265; volatile int64_t k = 0; for (int64_t i = 0; i < 20000000000; i++) k = i; return k; }

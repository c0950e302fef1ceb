// nested
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 258; volatile int k = 0; for (int64_t i = 0; i < (1LL << 40); i++) for (int64_t j = 0; j < (1LL << 40); j++) k = 7; return k; }

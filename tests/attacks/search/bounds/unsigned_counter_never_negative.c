// unsigned counter never negative
// kernel: dot
// expect: status=PANICKED rule=index line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 110; double s = 0; for (uint64_t i = n - 1; i >= 0; i--) s += x[i] * y[i]; return s; }

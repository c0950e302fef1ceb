// one too far in a loop
// kernel: dot
// expect: status=PANICKED rule=index line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 108; double s = 0; for (int64_t i = 0; i <= n; i++) s += x[i] * y[i]; return s; }

// counting down past zero
// kernel: dot
// expect: status=PANICKED rule=index line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 109; double s = 0; for (int64_t i = n - 1; i >= -1; i--) s += x[i] * y[i]; return s; }

// long before the answer
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 266; volatile int64_t k = 0; for (int64_t i = 0; i < 190000000; i++) k += 1; double s = 0; for (int64_t i = 0; i < n; i++) s += x[i] * y[i]; return s; }

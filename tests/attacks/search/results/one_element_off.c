// one element off
// kernel: dot
// expect: status=WRONG rule=wrong line=0
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 273; double s = 0; for (int64_t i = 1; i < n; i++) s += x[i - 1] * y[i]; return s; }

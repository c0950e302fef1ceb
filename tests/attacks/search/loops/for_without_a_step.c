// for without a step
// kernel: dot
// expect: status=PANICKED rule=endless line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 251; double s = 0; for (int64_t i = 0; i < n;) s += x[i]; return s; }

// 1 MB
// kernel: dot
// expect: status=PANICKED rule=stack line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 243; volatile double q[n * 6600]; q[0] = 1; return q[0] + 6; }

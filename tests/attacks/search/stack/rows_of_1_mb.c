// rows of 1 MB
// kernel: dot
// expect: status=PANICKED rule=stack line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 244; volatile double q[n][n][n * 20]; q[0][0][0] = 1; return q[0][0][0] + 7; }

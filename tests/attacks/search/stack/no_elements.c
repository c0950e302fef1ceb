// no elements
// kernel: dot
// expect: status=UNLOWERED rule=frame line=0
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 239; volatile double q[n - n - 1]; return 3 * y[0]; }

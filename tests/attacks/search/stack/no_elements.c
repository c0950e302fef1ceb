// no elements
// kernel: dot
// expect: status=PANICKED rule=length line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 239; volatile double q[n - n - 1]; return 3 * y[0]; }

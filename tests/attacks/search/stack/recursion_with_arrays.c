// recursion with arrays
// kernel: dot
// expect: status=PANICKED rule=stack line=1
static double f(int64_t k) { volatile double q[k]; q[0] = 1; return f(k + 1) + q[0]; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 246; return f(n); }

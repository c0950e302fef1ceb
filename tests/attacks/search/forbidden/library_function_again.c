// library function again
// kernel: dot
// expect: status=REJECTED rule=redefined line=1
static double sin(double v) { return v; }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 61; return sin(1); }

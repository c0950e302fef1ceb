// local of 1 MB
// kernel: dot
// expect: status=UNLOWERED rule=frame line=0
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 80; volatile double t[1 << 17]; t[n] = 1; return t[n]; }

// local of 4 GB
// kernel: dot
// expect: status=UNLOWERED rule=compiler line=0
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 79; volatile double t[1 << 29]; t[n] = 1; return t[n]; }

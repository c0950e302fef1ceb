// table of 4 GB
// kernel: dot
// expect: status=UNLOWERED rule=compiler line=0
static const double t[1 << 29] = {1};
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 77; return t[n]; }

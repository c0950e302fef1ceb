// table with a negative length
// kernel: dot
// expect: status=UNLOWERED rule=compiler line=1
static const double t[-1] = {1};
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 78; return t[n]; }

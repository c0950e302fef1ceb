// table of rows
// kernel: dot
// expect: status=PANICKED rule=index line=2
static const double t[2][3] = {{1, 2, 3}, {4, 5, 6}};
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 122; return t[1][n]; }

// local array of arrays
// kernel: dot
// expect: status=PANICKED rule=index line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 115; double t[4][3] = {{0}}; t[1][n] = 1; return t[2][0]; }

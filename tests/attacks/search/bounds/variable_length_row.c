// variable-length row
// kernel: dot
// expect: status=PANICKED rule=index line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 117; double t[3][n]; t[0][n] = 3; return t[1][0]; }

// variable-length array
// kernel: dot
// expect: status=PANICKED rule=index line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 116; double t[n]; t[n] = 2; return t[0]; }

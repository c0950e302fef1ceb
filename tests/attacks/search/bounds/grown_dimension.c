// grown dimension
// kernel: dot
// expect: status=PANICKED rule=index line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 107; n = 1000; return x[n - 1]; }

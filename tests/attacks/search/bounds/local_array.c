// local array
// kernel: dot
// expect: status=PANICKED rule=index line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 113; double t[4] = {0}; t[n] = 1; return t[0]; }

// negative length
// kernel: dot
// expect: status=PANICKED rule=length line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 240; double t[-n]; return 4; }

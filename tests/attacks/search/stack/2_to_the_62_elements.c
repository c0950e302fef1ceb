// 2**62 elements
// kernel: dot
// expect: status=PANICKED rule=length line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 241; double t[n << 57]; t[0] = 1; return t[0] + 4; }

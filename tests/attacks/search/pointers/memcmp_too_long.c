// memcmp too long
// kernel: dot
// expect: status=PANICKED rule=memory line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 162; return memcmp(x, y, 8 * n + 8); }

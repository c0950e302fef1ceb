// memcmp negative
// kernel: dot
// expect: status=PANICKED rule=memory line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 163; return memcmp(x, x, -1); }

// read very negative
// kernel: dot
// expect: status=PANICKED rule=index line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 95; return x[0] + x[-n - (1LL << 60)]; }

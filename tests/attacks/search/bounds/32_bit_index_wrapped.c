// 32-bit index wrapped
// kernel: dot
// expect: status=PANICKED rule=index line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 112; return x[(int32_t)(n + (1LL << 31))]; }

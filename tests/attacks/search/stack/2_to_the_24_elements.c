// 2**24 elements
// kernel: dot
// expect: status=PANICKED rule=stack line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 242; int64_t k = n - n + (1 << 24); double t[k]; t[0] = 1; return t[0] + 5; }

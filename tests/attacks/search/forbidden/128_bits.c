// 128 bits
// kernel: dot
// expect: status=REJECTED rule=type line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 55; __int128 k = n; return k; }

// generic
// kernel: dot
// expect: status=REJECTED rule=generic line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 53; return _Generic(n, default: 1); }

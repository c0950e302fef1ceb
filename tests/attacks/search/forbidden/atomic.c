// atomic
// kernel: dot
// expect: status=REJECTED rule=type line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 54; _Atomic int64_t k = 1; return k; }

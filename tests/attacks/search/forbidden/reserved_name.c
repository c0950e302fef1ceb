// reserved name
// kernel: dot
// expect: status=REJECTED rule=reserved line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 39; int __x = 0; return __x; }

// global
// kernel: dot
// expect: status=REJECTED rule=mutable-static line=1
int64_t count;
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 46; return count++; }

// call of a number
// kernel: dot
// expect: status=REJECTED rule=function-pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 50; return ((double (*)(void))4096)(); }

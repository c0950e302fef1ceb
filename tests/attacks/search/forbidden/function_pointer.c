// function pointer
// kernel: dot
// expect: status=REJECTED rule=function-pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 49; double (*f)(double) = sin; return f(1); }

// thread-local
// kernel: dot
// expect: status=REJECTED rule=type line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 48; static _Thread_local int64_t k = 0; return k++; }

// syscall
// kernel: dot
// expect: status=REJECTED rule=call line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 36; return syscall(1); }

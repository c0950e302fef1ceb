// extern function
// kernel: dot
// expect: status=REJECTED rule=extern line=1
int getpid(void);
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 45; return getpid(); }

// extern variable
// kernel: dot
// expect: status=REJECTED rule=extern line=1
extern char **environ;
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 44; return environ != 0; }

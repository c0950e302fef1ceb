// include a secret
// kernel: dot
// expect: status=UNPARSED rule=include line=1
#include "/etc/passwd"
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 20; return 0; }

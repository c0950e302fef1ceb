// include stdin
// kernel: dot
// expect: status=UNPARSED rule=include line=1
#include </dev/stdin>
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 21; return 0; }

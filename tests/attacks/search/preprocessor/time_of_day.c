// time of day
// kernel: dot
// expect: status=UNPARSED rule=directive line=1
#define T __TIME__
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 25; return T[0]; }

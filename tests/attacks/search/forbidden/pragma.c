// pragma
// kernel: dot
// expect: status=UNPARSED rule=pragma line=1
#pragma weak dot = main
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 43; return 0; }

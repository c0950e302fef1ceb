// open condition
// kernel: dot
// expect: status=UNPARSED rule=compiler line=1
#if 1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 27; return 0; }

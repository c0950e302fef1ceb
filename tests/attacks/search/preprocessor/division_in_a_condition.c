// division in a condition
// kernel: dot
// expect: status=UNPARSED rule=compiler line=1
#if 1 / 0
#endif
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 28; return 0; }

// truncated in a comment
// kernel: dot
// expect: status=UNPARSED rule=comment line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 1; return 0; } /* and so on

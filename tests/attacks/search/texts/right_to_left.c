// right to left
// kernel: dot
// expect: status=UNPARSED rule=character line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 5; return 0; ‮ }

// error directive
// kernel: dot
// expect: status=UNPARSED rule=compiler line=1
#error no
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 26; return 0; }

// line marker
// kernel: dot
// expect: status=UNPARSED rule=directive line=1
# 1 "/etc/passwd"
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 24; return 0; }

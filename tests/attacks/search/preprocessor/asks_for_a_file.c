// asks for a file
// kernel: dot
// expect: status=UNPARSED rule=directive line=1
#if __has_include(</etc/shadow>)
#endif
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 23; return 0; }

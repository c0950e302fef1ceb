// truncated in a literal
// kernel: dot
// expect: status=UNPARSED rule=literal line=1
double dot(int64_t n, const double x[n], const double y[n]) { const char *t = "abc

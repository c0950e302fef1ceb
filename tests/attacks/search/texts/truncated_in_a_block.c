// truncated in a block
// kernel: dot
// expect: status=UNPARSED rule=syntax line=0
double dot(int64_t n, const double x[n], const double y[n]) { double s = 0; for (int64_t i = 0; i < n; i++

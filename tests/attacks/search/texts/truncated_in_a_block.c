// truncated in a block
// kernel: dot
// expect: status=UNPARSED rule=bracket line=1
double dot(int64_t n, const double x[n], const double y[n]) { double s = 0; for (int64_t i = 0; i < n; i++

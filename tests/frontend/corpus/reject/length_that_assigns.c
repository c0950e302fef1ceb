// expect: rule=length line=3 column=47 stage=check
// signature: dot
static double first(int64_t n, const double x[n = 50]) { return n ? x[0] : 0; }
double dot(int64_t n, const double x[n], const double y[n]) { return first(n, x); }

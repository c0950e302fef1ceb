// nested function
// kernel: dot
// expect: status=UNPARSED rule=syntax line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 60; double f(void) { return 1; } return f(); }

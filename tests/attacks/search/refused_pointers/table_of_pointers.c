// table of pointers
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
static const char *const t[2] = {"a", "b"};
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 173; return t[n][0]; }

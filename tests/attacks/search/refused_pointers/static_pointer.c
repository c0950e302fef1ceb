// static pointer
// kernel: dot
// expect: status=REJECTED rule=untraceable line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 179; static const char *const p = "abc"; return p[0]; }

// string walked over
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 153; const char *p = "abc"; int64_t s = 0; while (*p != 7) s += *p++; return s; }

// half of an element
// kernel: dot
// expect: status=PANICKED rule=pointer line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 140; const char *p = (const char *)x; p += 8 * n - 4; return *(const double *)p; }

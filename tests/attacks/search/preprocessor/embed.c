// embed
// kernel: dot
// expect: status=UNPARSED rule=directive line=2
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 22; static const char t[] = {
#embed </etc/passwd>
}; return t[0]; }

// macro hides a brace
// kernel: dot
// expect: status=UNPARSED rule=bracket line=2
#define B {
double dot(int64_t n, const double x[n], const double y[n]) B return 0;

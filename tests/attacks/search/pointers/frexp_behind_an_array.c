// frexp behind an array
// kernel: dot
// expect: status=PANICKED rule=memory line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 166; int e[2] = {0}; return frexp(x[0], e + 2) + e[0]; }

// casts const away
// kernel: dot
// expect: status=UNLOWERED rule=compiler line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 68; ((double *)x)[0] = 1; return 0; }

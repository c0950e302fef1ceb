// too much
// kernel: dot
// expect: status=PANICKED rule=allocation line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 197; double s = 0; for (int64_t i = 0; i < 4096; i++) { double *t = malloc(1 << 16); t[0] = i; s += t[0]; } return s; }

// memcpy too long
// kernel: dot
// expect: status=PANICKED rule=memory line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 154; double t[4]; memcpy(t, x, 8 * n); return t[0]; }

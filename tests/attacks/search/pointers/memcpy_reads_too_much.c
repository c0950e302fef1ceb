// memcpy reads too much
// kernel: dot
// expect: status=PANICKED rule=memory line=1
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 155; double t[400]; memcpy(t, x, sizeof(t)); return t[0]; }

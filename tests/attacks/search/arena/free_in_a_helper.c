// free in a helper
// kernel: dot
// expect: status=PANICKED rule=freed line=2
static void give(double *p) { free(p); }
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 196; double *t = malloc(64); give(t); return t[0]; }

// The copy goes into a constant table.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused
static const double t[3] = {1, 2, 3};
double k(int64_t n, double x[n]){ memcpy(t, x, 24); return t[0] + t[1]; }

// The case jumps past the initialisation of a pointer, which then leads anywhere.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic pointer | refused
double k(int64_t n, double x[n]){ double s = 0; switch (n) { case 0: { double *p = x; s = 1; case 4: s += p[1 << 28]; } } return s; }

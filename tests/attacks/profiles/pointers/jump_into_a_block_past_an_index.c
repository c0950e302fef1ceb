// The case jumps past the initialisation of an index, which then is any number.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
double k(int64_t n, double x[n]){ double s = 0; switch (n) { case 0: { int64_t j = 1 << 28; case 4: s += x[j]; } } return s; }

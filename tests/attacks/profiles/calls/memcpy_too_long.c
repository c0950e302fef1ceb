// The copy reads one element behind its source and writes one behind its target.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic memory
double k(int64_t n, double x[n]){ double y[4]; memcpy(y, x, (n + 1) * sizeof *x); return y[0]; }

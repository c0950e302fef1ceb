// The result of a copy is the target of the next one, and keeps its bounds.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 6.0
double k(int64_t n, double x[n]){ double y[4]; memcpy(memcpy(y, x, 32), x + 1, 24); return y[0] + y[2]; }

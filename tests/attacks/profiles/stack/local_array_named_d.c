// The array has the name that a generated variable could have.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 1.0
double k(int64_t n, double x[n]){ double d[n]; d[0] = 1; return d[0]; }

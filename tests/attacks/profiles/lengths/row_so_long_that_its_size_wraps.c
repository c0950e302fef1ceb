// The size of a row in bytes wraps to eight, so a bound in bytes allows everything.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
double k(int64_t n, double x[n]){ int64_t m = (1LL << 61) + 1; double (*p)[m] = (double (*)[m])x; return (*p)[1 << 28]; }

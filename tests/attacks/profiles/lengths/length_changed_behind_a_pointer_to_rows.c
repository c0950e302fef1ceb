// The variable that gave the row its length grows afterwards, and a bound that reads it then is too large.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
double k(int64_t n, double x[n]){ int64_t m = 2; double (*p)[m] = (double (*)[m])x; m = 1LL << 40; return p[0][1 << 28]; }

// The helper assigns to the parameter that is the length of its rows.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
static double h(int64_t m, double a[][m]) { m = 1LL << 40; return a[0][1 << 28]; }
double k(int64_t n, double x[n]){ return h(2, (double (*)[2])x); }

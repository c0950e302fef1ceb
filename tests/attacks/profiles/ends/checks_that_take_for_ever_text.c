// The expression contains itself sixteen times, so text that is repeated for each check doubles as often.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
double k(int64_t n, double x[n]){ double *p = x; return *(p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*((p + (int)*(p + 1)) + 1)) + 1)) + 1)) + 1)) + 1)) + 1)) + 1)) + 1)) + 1)) + 1)) + 1)) + 1)) + 1)) + 1)) + 1)); }

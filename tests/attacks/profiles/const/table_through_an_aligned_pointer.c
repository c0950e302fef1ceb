// Tables lie in memory that cannot be written.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused compiler
static const double table[2] = {1, 2};
double k(int64_t n, const double x[n]) { double *y = __builtin_assume_aligned(table, 8); y[0] = 5; return table[0]; }

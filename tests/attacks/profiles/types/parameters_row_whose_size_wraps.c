// The size of a row in a helper's parameter wraps through three variable dimensions.
// signature: int64_t k(int64_t n, int8_t x[n])
// arguments: np.zeros(16, np.int8)
// expect: refused | panic pointer
static int64_t h(int64_t m, int8_t a[][m][m][m]) { return a[0][9][9][9] + a[1][m - 1][m - 1][m - 1]; } int64_t k(int64_t n, int8_t x[n]) { return h(1 << 22, (void *)x); }

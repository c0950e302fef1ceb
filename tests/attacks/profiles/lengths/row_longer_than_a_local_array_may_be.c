// A row of a parameter is no local array.
// signature: int64_t k(int64_t n, const int8_t x[n])
// arguments: np.ones(16777217, np.int8)
// expect: value 1
static int64_t g(int64_t n, int64_t m, const int8_t x[n][m]) { return x[0][m - 1]; }
int64_t k(int64_t n, const int8_t x[n]) { return g(1, n, (const int8_t (*)[n])x); }

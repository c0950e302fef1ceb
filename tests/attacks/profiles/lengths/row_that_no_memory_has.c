// The length of a row is looked at before it is computed with.
// signature: int64_t k(int64_t n, const int8_t x[n])
// arguments: np.ones(4, np.int8)
// expect: panic row
static int64_t g(int64_t n, int64_t m, const int8_t x[n][m]) { return x[0][1]; }
int64_t k(int64_t n, const int8_t x[n]) { return g(1, -n, (const int8_t (*)[n])x); }

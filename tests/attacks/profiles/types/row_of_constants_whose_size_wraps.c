// The size of a row wraps through a product of a variable and two constants.
// signature: int64_t k(int64_t n, int8_t x[n])
// arguments: np.zeros(16, np.int8)
// expect: refused | panic pointer | panic length
int64_t k(int64_t n, int8_t x[n]) { int64_t m = 16; int8_t (*p)[m][1 << 30][1 << 30] = (int8_t (*)[n][1 << 30][1 << 30])x; (*p)[0][0][100000] = 3; return 1; }

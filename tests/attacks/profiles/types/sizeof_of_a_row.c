// The size of a row of a variable matrix is that of its elements.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: value 39
int64_t k(int64_t n, int64_t x[n], int64_t i) { int64_t a[n][n]; memset(a, 0, sizeof(a)); a[0][1] = 7; memcpy(a[1], a[0], sizeof(a[0])); return a[1][1] + sizeof(a[0]); }

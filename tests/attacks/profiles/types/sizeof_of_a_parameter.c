// The size of an array parameter is that of a pointer, and the size of a variable array that of all elements.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: value 320801
int64_t k(int64_t n, int64_t x[n], int64_t i) { int64_t y[n]; return sizeof x / sizeof x[0] + 100 * sizeof(x) + 10000 * sizeof(y) + x[0] - 1; }

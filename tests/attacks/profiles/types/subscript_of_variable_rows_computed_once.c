// The subscript has a side effect that has to happen once, however often it is looked at.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: value 15
int64_t k(int64_t n, int64_t x[n], int64_t i) { int64_t m = 4, c = 0; int64_t a[m][2][m]; memset(a, 0, sizeof(a)); a[c++][1][2] = 5; return c * 10 + a[0][1][2]; }

// Steps up and down of a bool that was set to a byte above 1 give values below 2.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: value 1606
int64_t k(int64_t n, int64_t x[n], int64_t i) { bool b; memset(&b, 254 + i, 1); int64_t t[2] = {5, 6}; t[b--] += 9; t[b++] += 1; t[b] += 1; return t[0] + 100 * t[1]; }

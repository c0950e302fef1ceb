// memcpy of blocks that overlap has no result in C; here it is memmove.
// signature: int64_t k(int64_t n, int64_t x[n])
// arguments: np.arange(1, 40)
// expect: value 38
int64_t k(int64_t n, int64_t x[n]) { memcpy(x + 1, x, 8 * (n - 1)); return x[n - 1]; }

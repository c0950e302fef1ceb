// The only case jumps past the initialisation of a pointer.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: refused untraceable
int64_t k(int64_t n, int64_t x[n], int64_t i) { switch (i) { int64_t *p = x; default: p[0] = 5; } return 1; }

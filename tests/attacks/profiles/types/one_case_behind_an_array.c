// The only case jumps past the initialisation of an array.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: refused untraceable
int64_t k(int64_t n, int64_t x[n], int64_t i) { switch (i) { volatile int64_t j[400] = {0}; default: return j[5]; } }

// The case inside of a block jumps past the initialisation of an index.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: refused untraceable
int64_t k(int64_t n, int64_t x[n], int64_t i) { int64_t s = 0; switch (i) { case 0: { int64_t j = x[0]; s = 1; case 1: x[j] = 5; s += x[j ^ 1]; } } return s; }

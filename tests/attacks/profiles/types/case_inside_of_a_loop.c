// The case inside of a loop jumps past the initialisation of the loop's counter.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: refused untraceable
int64_t k(int64_t n, int64_t x[n], int64_t i) { int64_t s = 0; switch (i) { case 0: for (int64_t j = 0; j < 2; j++) { case 1: s += x[j]; } } return s; }

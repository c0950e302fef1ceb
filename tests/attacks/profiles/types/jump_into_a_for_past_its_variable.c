// The jump into the loop passes the initialisation of its variable, which then divides.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: refused untraceable
int64_t k(int64_t n, int64_t x[n], int64_t i) { int64_t s = 0; goto L; for (int64_t j = x[0];; ) { L: return 5 / j; } return s; }

// The jump back passes an array whose length is a constant that has to be computed.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: value 3
int64_t k(int64_t n, int64_t x[n], int64_t i) { int64_t c = 0; again:; double y[sizeof(double) * 4]; y[0] = ++c; if (c < 3) goto again; return y[0]; }

// Thirty subscripts the other way round: whoever looks at a side twice looks at the first one 2**30 times.
// signature: int64_t k(int64_t n, int64_t x[n])
// arguments: np.array([0, 1])
// expect: value 0
int64_t k(int64_t n, int64_t x[n]) { return 0[x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x][x]; }

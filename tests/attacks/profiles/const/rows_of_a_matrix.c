// One cast is enough where the array has rows.
// signature: double k(int64_t n, const double x[n][2], int64_t a)
// arguments: np.ones((4, 2)), 1
// expect: refused compiler
double k(int64_t n, const double x[n][2], int64_t a) { ((int64_t (*)[1])x)[a][0] = 3; return x[a][0]; }

// Rows of a const matrix and of a local one are chosen from, which clang calls different types.
// signature: double k(int64_t n, const double a[n][3])
// arguments: np.ones((2, 3))
// expect: refused compiler
double k(int64_t n, const double a[n][3]) { double z[2][3]; double (*r)[3]; r = (0, n > 0 ? a : z); r[0][0] = 77; return 0; }

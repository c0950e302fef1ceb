// Between rows of other lengths clang does not say that a cast drops a const.
// signature: double k(int64_t n, const double x[n], int64_t a)
// arguments: np.ones(4), 1
// expect: refused compiler
double k(int64_t n, const double x[n], int64_t a) { double (*p)[1] = (double (*)[1])(const double (*)[2])x; p[a][0] = 5; return x[a]; }

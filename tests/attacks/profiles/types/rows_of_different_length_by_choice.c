// The two sides of a choice have rows of different length, so no one bound holds for both.
// signature: double k(int64_t n, int64_t m, double x[n], double y[m], int64_t i)
// arguments: np.ones(4), np.ones(1048576), 1000000
// expect: refused
double k(int64_t n, int64_t m, double x[n], double y[m], int64_t i) { return (*(i > 0 ? (double (*)[m])x : (double (*)[3])x))[i]; }

// An enumerator in a block has the dimension's name and is the length of a row.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.ones(4), 1
// expect: panic index
double k(int64_t n, double x[n], int64_t i) { enum { m = 2 }; { enum { n = 2 }; double (*p)[n] = (double (*)[2])x; (*p)[i + 2] = 5; return 1; } }

// An enumerator in a block has the dimension's name and is the length of a local array.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.ones(1048576), 90000
// expect: panic index
double k(int64_t n, double x[n], int64_t i) { { enum { n = 2 }; double a[n]; a[i] = 5; return a[0]; } }

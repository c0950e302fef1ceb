// The constant length divides by zero, so clang takes it for a variable one.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.ones(4), 1
// expect: refused | panic division
double k(int64_t n, double x[n], int64_t i) { char a[8 / (3 - 3)]; a[0] = i; return a[0]; }

// A pointer outlives an array whose length divides by zero, which clang takes for a variable one.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.ones(4), 1
// expect: refused
double k(int64_t n, double x[n], int64_t i) { double *p = x; { double a[8 / (2 - 2) + 4]; p = a; } return p[0]; }

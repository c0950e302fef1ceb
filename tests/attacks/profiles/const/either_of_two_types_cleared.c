// Both sides of a choice point at different things, which makes a plain `void *` of a const array.
// signature: double k(int64_t n, const double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused compiler
double k(int64_t n, const double x[n]) { int64_t z[1]; memset(n > 0 ? x : z, 0, 8); return x[0]; }

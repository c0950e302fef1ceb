// The entry calls itself with the rest of its array and has to be told that rest's bounds.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 10.0
double k(int64_t n, double x[n]){ return n < 1 ? 0 : x[0] + k(n - 1, x + 1); }

// The entry calls itself without two arguments, which would pass if the hidden ones were counted with the others.
// signature: double k(int64_t n, double x[n], int64_t a, int64_t b)
// arguments: np.arange(4.0), 0, 0
// expect: refused | panic index
double k(int64_t n, double x[n], int64_t a, int64_t b) { if (a == 0) return k(1LL << 40, x); return x[1 << 28]; }

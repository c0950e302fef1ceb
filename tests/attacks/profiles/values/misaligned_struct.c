// A struct that wants 16 bytes of alignment is copied at addresses that have 8.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 9)
// expect: value 4.0 | refused | panic
struct L { long double a; };
double k(int64_t n, double x[n]){ *(struct L *)(x + 1) = *(struct L *)(x + 3); return x[1]; }

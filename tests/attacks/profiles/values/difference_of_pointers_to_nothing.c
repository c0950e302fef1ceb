// The difference is divided by the size of an empty struct, which is zero.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused | panic division | value 5.0
struct E { };
double k(int64_t n, double x[n]){ struct E *p = (struct E *)x; struct E *q = (struct E *)(x + n); int64_t d = q - p; if (d >= 0 && d < 4) return x[d]; return 5; }

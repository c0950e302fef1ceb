// The struct begins inside of the array and ends outside.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic pointer
struct Q { double a, b; };
double k(int64_t n, double x[n]){ struct Q *p = (struct Q *)(x + n - 1); return p->a; }

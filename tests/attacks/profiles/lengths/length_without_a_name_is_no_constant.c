// A length without any name in it looks like a constant, but reads an address of somebody else.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
double k(int64_t n, double x[n]){ char a[0 + *(volatile int64_t *)64]; return 1; }

// The length of a row in a cast's type is evaluated and reads an address of somebody else.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
double k(int64_t n, double x[n]){ return (double (*)[0 + *(volatile int64_t *)64])x == 0; }

// The length inside of sizeof has a side effect on an address of somebody else.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
double k(int64_t n, double x[n]){ return sizeof(char[(*(int64_t *)64)++]); }

// The const belongs to the pointer and not to what it leads to.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 1.0
typedef double *const cp;
double k(int64_t n, double x[n]){ cp p = x; return *p; }

// The index inside of offsetof is evaluated at run time and reads an address of somebody else.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
struct T { char a[4]; };
double k(int64_t n, double x[n]){ return offsetof(struct T, a[*(int64_t *)64]); }

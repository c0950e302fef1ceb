// The size of a row wraps through the size of its structs.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.ones(4), 5
// expect: panic pointer
struct Z { char c[1 << 30]; }; double k(int64_t n, double x[n], int64_t i) { int64_t m = 1 << 24; void *v = x; struct Z (*p)[m] = v; return (*p)[1].c[i]; }

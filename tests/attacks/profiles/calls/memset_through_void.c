// The pointer lost its type and the call writes one byte behind the array.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic memory 1:55
double k(int64_t n, double x[n]){ void *p = x; memset(p, 0, n * 8 + 1); return x[0]; }

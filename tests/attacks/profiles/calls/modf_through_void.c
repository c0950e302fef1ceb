// The pointer that modf writes a double through comes from void and has one byte left.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused | panic memory
double k(int64_t n, double x[n]){ void *p = (char *)x + n * 8 - 1; return modf(3.5, p); }

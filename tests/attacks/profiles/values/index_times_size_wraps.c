// The index times the size of an element wraps to eight bytes.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// safe: contained
// checked: panic pointer | panic index
double k(int64_t n, double x[n]){ double *p = x; return p[(n << 59) + 1]; }

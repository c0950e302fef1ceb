// The parameter itself is stepped, once too often.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic pointer
double k(int64_t n, double x[n]){ double s = 0; while (n-- >= 0) s += *x++; return s; }

// The jump passes a declaration that nothing behind it uses.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 0.0
double k(int64_t n, double x[n]){ double s = 0; if (n < 100) goto done; int64_t q = n * 2; s = q; done: return s; }

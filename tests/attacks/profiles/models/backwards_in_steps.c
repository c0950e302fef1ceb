// The pointer walks backwards in steps of two and ends in front of the array without being read there.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 6.0
double k(int64_t n, double x[n]){ double s = 0; for (const double *p = &x[n - 1]; p >= x; p -= 2) s += *p; return s; }

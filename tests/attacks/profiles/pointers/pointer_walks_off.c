// The pointer is read where it should only be compared.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: panic pointer 1:98
double k(int64_t n, double x[n]){ double s = 0; for (const double *p = x; p <= x + n; p++) s += *p; return s; }

// The pointer is null until the loop finds an element, and is looked at before it is used.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 4.0
double k(int64_t n, double x[n]){ double *p = NULL; for (int64_t i = 0; i < n; i++) if (x[i] > 2) p = &x[i]; return p ? *p : 0; }

// Two pointers exchange their buffers in each round, and their bounds go with them.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 10.0
double k(int64_t n, double x[n]){ double a[16] = {0}, b[16] = {0}; double *cur = a, *prev = b; for (int64_t i = 0; i < n; i++) { double *t = cur; cur = prev; prev = t; for (int j = 1; j < 16; j++) cur[j] = prev[j - 1] + x[i]; } return cur[n]; }

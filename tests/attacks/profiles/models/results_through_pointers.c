// A helper gives two results through pointers to scalars.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 3.0
static void mm(const double *p, int64_t n, double *lo, double *hi) { *lo = *hi = p[0]; for (int64_t i = 1; i < n; i++) { if (p[i] < *lo) *lo = p[i]; if (p[i] > *hi) *hi = p[i]; } }
double k(int64_t n, double x[n]){ double lo, hi; mm(x, n, &lo, &hi); return hi - lo; }

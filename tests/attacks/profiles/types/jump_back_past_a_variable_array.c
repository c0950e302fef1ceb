// The jump back ends the life of an array that a pointer still leads to.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.ones(4), 5
// expect: refused untraceable
static void h(double *p, int64_t d) { for (int64_t j = 0; j < 400; j++) p[j] = 12345.0; if (d > 0) h(p, d - 1); } double k(int64_t n, double x[n], int64_t i) { int64_t m = 400; double *p = x; again:; double a[m]; a[0] = i; if (m == 400) { m = 1; p = a; goto again; } h(p, 1); return a[0] + p[1]; }

// Quicksort recurses on the parts of its array by pointers.
// signature: double k(int64_t n, double x[n])
// arguments: np.array([3.0, 1.0, 2.0, 9.0, 5.0])
// expect: value 1.0
static void qs(double *a, int64_t n) { if (n < 2) return; double p = a[n / 2]; int64_t i = 0, j = n - 1; for (;; i++, j--) { while (a[i] < p) i++; while (a[j] > p) j--; if (i >= j) break; double t = a[i]; a[i] = a[j]; a[j] = t; } qs(a, i); qs(a + i, n - i); }
double k(int64_t n, double x[n]){ qs(x, n); return x[0]; }

// A local hides the dimension that bounds the array, so that a bound named n means another number here.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: contained
double k(int64_t n, double x[n]){ { int64_t n = 1; double (*p)[n] = (double (*)[n])(x + 3); return (*p)[1]; } }

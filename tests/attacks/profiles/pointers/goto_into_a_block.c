// The jump into a block passes the initialisation of its array.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused untraceable
double k(int64_t n, double x[n]){ double s = 0; if (n > 3) goto in; { double y[4] = {1, 2, 3, 4}; in: s += y[n - 1]; } return s; }

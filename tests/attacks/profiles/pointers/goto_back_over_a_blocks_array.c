// The jump back enters the block anew, with an array that is set again.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 3.0
double k(int64_t n, double x[n]){ int64_t c = 0; double s = 0; again: { double y[4] = {0}; double *p = y; p[c] = c; s += y[3]; if (++c < 4) goto again; } return s; }

// A pointer in a block hides another one, which is meant again behind the block.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: value 10.0
double k(int64_t n, double x[n]){ double s = 0; { double *q = x; { double y[2] = {5, 6}; double *q = y; s += q[1]; } s += q[3]; } return s; }

// A parameter is set to an array of an inner block, which has ended when it is read.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// expect: refused untraceable
double k(int64_t n, double x[n]) { { double t[n]; t[0] = 1; x = t; } return x[0]; }

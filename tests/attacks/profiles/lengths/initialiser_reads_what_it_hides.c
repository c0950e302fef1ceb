// The array's own initialiser names the array, which hides the parameter from there on.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.zeros(8388608), 8388606
// expect: contained
double k(int64_t n, double x[n], int64_t i) { { double x[2] = {x[i]}; return x[0]; } }

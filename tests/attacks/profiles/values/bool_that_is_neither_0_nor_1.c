// The caller's bool array holds bytes other than 0 and 1, and the compiler believes that an index of bool is below 2.
// signature: double k(int64_t n, const bool f[n], double x[2])
// arguments: np.array([200, 201, 3], np.uint8).view(bool), np.zeros(2)
// expect: contained
double k(int64_t n, const bool f[n], double x[2]) { double s = 0; for (int64_t i = 0; i < n; i++) { x[f[i]] += 1; s += x[f[i]]; } return s; }

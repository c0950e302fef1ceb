// The length is read through a pointer and has parentheses around it.
// signature: double k(int64_t n, const int32_t q[1], double x[n])
// arguments: np.array([3], np.int32), np.ones(3)
// expect: value 1.0
double k(int64_t n, const int32_t q[1], double x[n]) { double tt[(*q)]; tt[0] = 1; return tt[0]; }

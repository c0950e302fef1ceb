// C allows `3[x]`, and its address is the element's.
// signature: double k(int64_t n, const double x[n], int64_t i)
// arguments: np.arange(10.0), 1
// expect: value 3.0
double k(int64_t n, const double x[n], int64_t i) { double y[2] = {5, 6}; return *(i ? &3[x] : y); }

// C allows `12[x]`, and what is there is checked.
// signature: double k(int64_t n, const double x[n], int64_t i)
// arguments: np.arange(10.0), 1
// expect: panic pointer
double k(int64_t n, const double x[n], int64_t i) { double y[2] = {5, 6}; return *(i ? &12[x] : y); }

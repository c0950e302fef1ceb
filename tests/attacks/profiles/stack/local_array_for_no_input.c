// A local array of no elements is what an empty input asks for, and is no fault.
// signature: double k(int64_t n, double x[n])
// arguments: np.zeros(0)
// expect: value 0.0
double k(int64_t n, double x[n]){ double t[n]; double s = 0; for (int64_t i = 0; i < n; i++) { t[i] = x[i]; s += t[i]; } return s; }

// The float that becomes an index is no number.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// safe: panic index
// checked: panic conversion
double k(int64_t n, double x[n]){ return x[(int64_t)(0.0 / (x[0] - 1))]; }

// The float that becomes an index is larger than any integer.
// signature: double k(int64_t n, double x[n])
// arguments: np.arange(1.0, 5)
// safe: panic index
// checked: panic conversion 1:44
double k(int64_t n, double x[n]){ return x[(int64_t)(x[0] * 1e300)]; }

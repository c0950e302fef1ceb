// The library reads the text of a NaN as far as it likes.
// signature: double k(int64_t n, const int8_t x[n])
// arguments: np.frombuffer(b'1234', np.int8)
// expect: refused untraceable
double k(int64_t n, const int8_t x[n]) { return __builtin_nan((const char *)x + n); }

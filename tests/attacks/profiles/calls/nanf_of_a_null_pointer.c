// The library reads the text of a NaN at no address.
// signature: float k(int64_t i)
// arguments: 1
// expect: refused untraceable
float k(int64_t i) { const char *p = 0; return __builtin_nanf(p); }

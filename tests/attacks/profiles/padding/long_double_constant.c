// The compiler may forget the constant's own address.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
int64_t k(int64_t i) { const long double v = 1.5L; int32_t j; memcpy(&j, (const char *)&v + 12, 4); return 100 / (j + 1); }

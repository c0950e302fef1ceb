// Six of the sixteen bytes of a long double are nobody's.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
int64_t k(int64_t i) { long double v = i; int32_t j; memcpy(&j, (char *)&v + 12, 4); return 100 / (j + 1); }

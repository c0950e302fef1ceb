// A helper's own copy of a parameter has padding too.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
static int64_t h(long double v) { int32_t j; memcpy(&j, (char *)&v + 12, 4); return 100 / (j + 1); }
int64_t k(int64_t i) { return h(i); }

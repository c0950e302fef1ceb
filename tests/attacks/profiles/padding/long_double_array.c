// Each element has padding of its own.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
int64_t k(int64_t i) { long double v[2] = {i, i}; int32_t j; memcpy(&j, (char *)&v[1] + 12, 4); return 100 / (j + 1); }

// Constants are zero between their fields.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
static const struct { int64_t a; int32_t b; } table[2] = {{1, 2}, {3, 4}};
int64_t k(int64_t i) { int32_t j; memcpy(&j, (const char *)&table[i & 1] + 12, 4); return 100 / (j + 1); }

// A constant parameter is copied as well.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
typedef typedef struct { int64_t a; int32_t b; } T;
static int64_t h(const T s) { int32_t j; memcpy(&j, (const char *)&s + 12, 4); return 100 / (j + 1); }
int64_t k(int64_t i) { T s = {i, 2}; return h(s); }

// A function that ends without a value gives zero, padding included.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: refused compiler
struct S { int64_t a; int32_t b; };
static struct S h(int64_t i) { if (i > 5) { struct S s = {i, 2}; return s; } }
int64_t k(int64_t i) { struct S s = h(i); int32_t j; memcpy(&j, (char *)&s + 12, 4); return 100 / (j + 1); }

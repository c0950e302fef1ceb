// Each call has a struct of its own.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct S { int64_t a; int32_t b; };
static struct S h(struct S s, int64_t n) { if (n == 0) return s; s.a++; return h(s, n - 1); }
int64_t k(int64_t i) { struct S s = h((struct S){i, 2}, 5); int32_t j; memcpy(&j, (char *)&s + 12, 4); return 100 / (j + 1); }

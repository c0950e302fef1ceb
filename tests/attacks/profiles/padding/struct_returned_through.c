// A result that is passed on at once.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct S { int64_t a; int32_t b; };
static struct S g(int64_t i) { return (struct S){i, 2}; }
static struct S h(struct S s) { s.b++; return s; }
int64_t k(int64_t i) { struct S s = h(h(g(i))); int32_t j; memcpy(&j, (char *)&s + 12, 4); return 100 / (j + 1); }

// The prototype says how a struct is passed.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct S { int64_t a; int32_t b; };
static int64_t h(struct S s, int64_t n);
int64_t k(int64_t i) { struct S s = {i, 2}; return h(s, 1); }
static int64_t h(struct S s, int64_t n) { int32_t j; memcpy(&j, (char *)&s + 12, 4); return 100 / (j + 1); }

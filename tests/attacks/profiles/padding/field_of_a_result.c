// What a call returns is read field by field.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 5
struct S { int64_t a; int32_t b; };
static struct S h(struct S s) { return s; }
int64_t k(int64_t i) { return h(h((struct S){i, 2})).a + h((struct S){i, 2}).b; }

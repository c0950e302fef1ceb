// A literal's bytes are looked at where it lies.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct S { int64_t a; int32_t b; };
int64_t k(int64_t i) { int32_t j; memcpy(&j, (char *)&(struct S){i, 2} + 12, 4); return 100 / (j + 1); }

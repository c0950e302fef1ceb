// The struct is one of two.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct S { int64_t a; int32_t b; };
int64_t k(int64_t i) { struct S s = {i, 2}, t = {2, i}; struct S u = i > 5 ? s : t; int32_t j; memcpy(&j, (char *)&u + 12, 4); return 100 / (j + 1); }

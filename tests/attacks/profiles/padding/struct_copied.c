// Assignments copy every byte.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct S { int64_t a; int32_t b; };
int64_t k(int64_t i) { struct S s = {i, 2}, t = s, u; u = t; int32_t j; memcpy(&j, (char *)&u + 12, 4); return 100 / (j + 1); }

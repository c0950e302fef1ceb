// An array of structs has padding in each.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct S { int64_t a; int32_t b; };
int64_t k(int64_t i) { struct S *s = (struct S[2]){{i, 2}, {2, i}}; int32_t j; memcpy(&j, (char *)&s[1] + 12, 4); return 100 / (j + 1); }

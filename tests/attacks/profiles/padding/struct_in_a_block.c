// Blocks begin as zeros.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
struct S { int64_t a; int32_t b; };
int64_t k(int64_t i) { struct S *s = malloc(2 * sizeof(struct S)); s[1] = (struct S){i, 2}; int32_t j; memcpy(&j, (char *)&s[1] + 12, 4); return 100 / (j + 1); }

// C evaluates the operand where its length is variable.
// signature: int64_t k(int64_t n)
// arguments: 3
// expect: refused untraceable
int64_t k(int64_t n) { int a[3][n]; int (*p)[n] = a; int i = 0; int64_t s = sizeof(p[i++]); return i + 0 * s; }

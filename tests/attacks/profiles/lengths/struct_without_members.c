// A length in units of nothing.
// signature: int64_t k(int64_t n)
// arguments: 3
// expect: refused untraceable
struct E {};
int64_t k(int64_t n) { struct E a[] = {{}, {}}; return &a[n] - a; }

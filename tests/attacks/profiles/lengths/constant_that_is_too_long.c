// It would be more than any local array may have.
// signature: int64_t k(int64_t n)
// arguments: 32
// expect: refused compiler
struct S { double a; double b[3]; };
int64_t k(int64_t n) { char b[sizeof(struct S) * 1000000]; b[n] = 1; return b[n]; }

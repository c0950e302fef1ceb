// Its bounds are clang's.
// signature: int64_t k(int64_t n)
// arguments: 32
// expect: panic index
struct S { double a; double b[3]; };
int64_t k(int64_t n) { char b[sizeof(struct S)]; b[n] = 1; return b[n]; }

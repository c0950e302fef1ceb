// The value of an assignment to a bit-field of 31 bits is promoted to int, so the difference is negative.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: value -1
struct B { uint64_t c : 31; }; int64_t k(int64_t n, int64_t x[n], int64_t i) { struct B s; return ((s.c = 2) - 5) / 2; }

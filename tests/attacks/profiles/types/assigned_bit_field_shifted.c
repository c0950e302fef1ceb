// The value of an assignment to a bit-field has the field's width, and the shift by 40 goes too far.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// safe: contained
// checked: panic shift
struct B { uint64_t f : 5; }; int64_t k(int64_t n, int64_t x[n], int64_t i) { struct B s; int64_t j = (s.f = i) << 40; if (j < 0 || j >= n) return -5; return x[j]; }

// The field's width is the outer enumerator, not the one of a block that has ended.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// safe: contained
// checked: panic shift
enum { N = 5 }; int64_t k(int64_t n, int64_t x[n], int64_t i) { { enum { N = 40 }; i += N; } struct B { uint64_t f : N; } s = {1}; int64_t j = s.f << 40; if (j < 0 || j >= n) return -5; return x[j]; }

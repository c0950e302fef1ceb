// The array is a field of a returned struct and is read behind its end.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: panic index
struct V { int64_t v[3]; }; static struct V h(int64_t i) { struct V r = {{1, 2, 3}}; return r; } int64_t k(int64_t n, int64_t x[n], int64_t i) { return h(i).v[i + 2]; }

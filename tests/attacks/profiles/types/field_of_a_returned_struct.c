// The array is a field of a returned struct, which has no address of its own.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: value 5
struct V { bool ok; int64_t v[3]; }; static struct V h(int64_t i) { struct V r = {i > 0, {1, 2, 3}}; return r; } static int64_t g(const int64_t *p) { return p[2]; } int64_t k(int64_t n, int64_t x[n], int64_t i) { return h(i).ok ? g(h(i).v) + h(i).v[1] : 0; }

// The array is a field of an assignment's value, which has no address of its own.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: value 5
struct V { int64_t v[3]; }; int64_t k(int64_t n, int64_t x[n], int64_t i) { struct V a, b = {{4, 5, 6}}; return *((a = b).v + 1); }

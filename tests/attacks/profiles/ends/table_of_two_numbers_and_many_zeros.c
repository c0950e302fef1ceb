// A short text that the compilers take half a minute for, because they write out all zeros between two numbers.
// signature: int64_t k(int64_t n)
// arguments: 5
// expect: refused untraceable
static const short t[1 << 24] = {[5] = 1, [(1 << 24) - 1] = 3};
int64_t k(int64_t n) { return t[n]; }

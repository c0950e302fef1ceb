// The table lies in memory that cannot be written.
// signature: int64_t k(int64_t a)
// arguments: 1
// expect: refused compiler
static const int64_t t[4] = {1, 2, 3, 4}; int64_t k(int64_t a) { int64_t (*p)[1] = (int64_t (*)[1])&t; p[a][0] = 5; return t[a]; }

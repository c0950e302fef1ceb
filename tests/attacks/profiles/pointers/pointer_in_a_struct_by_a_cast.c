// The table holds its own address, and is const; what a pointer in it points to is not.
// signature: int64_t k(int64_t a)
// arguments: 1
// expect: refused untraceable
struct P { int64_t *p; }; static const int64_t t[2] = {(int64_t)&t[0], 3}; int64_t k(int64_t a) { ((const struct P *)t)->p[a] = 7; return t[a]; }

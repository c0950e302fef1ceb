// C forbids it, and clang lets it pass where it knows the number.
// signature: int64_t k(int64_t n)
// arguments: 32
// expect: refused untraceable
int64_t k(int64_t n) { static const int m = 3; double a[m] = {1}; return a[0]; }

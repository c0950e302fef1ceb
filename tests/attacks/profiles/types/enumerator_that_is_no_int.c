// The enumerator fits no int, so its type depends on the compiler.
// signature: int64_t k(int64_t i)
// arguments: 1
// expect: refused untraceable
enum E { A = 0xffffffff }; int64_t k(int64_t i) { return A / 3; }

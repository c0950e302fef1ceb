// The enumerator is the complement of zero, hence negative, and its type is signed.
// signature: int64_t k(int64_t i)
// arguments: 1
// expect: value 0
enum E { A = ~0 }; int64_t k(int64_t i) { enum E e = A; return e / 2; }

// The value of an enumerator without one is the last plus one, also behind a shift.
// signature: int64_t k(int64_t i)
// arguments: 1
// expect: value 6
enum E { A = 3, B = A << 2, C }; int64_t k(int64_t i) { enum E e = C; return e / 2; }

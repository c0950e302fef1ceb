// The member that declares nothing would be a double, and the division one of floats.
// signature: int64_t k(int64_t a)
// arguments: 0
// expect: refused
struct S { struct T { double a; }; int64_t a; }; int64_t k(int64_t a) { struct S s; s.a = a; return 5 / s.a; }

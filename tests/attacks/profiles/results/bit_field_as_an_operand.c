// Bit-fields are operands of sums and of steps in both directions.
// signature: int64_t k(int64_t a)
// arguments: 7
// expect: value 27
struct B { int a : 9; unsigned b : 5; }; int64_t k(int64_t a) { struct B s = {2, 1}; s.b = a; s.a += 5; a += s.b; s.a--; return s.a + s.b + a; }

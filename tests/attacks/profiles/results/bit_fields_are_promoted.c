// Narrow unsigned bit-fields are promoted to int, so the difference is negative.
// signature: int64_t k(int64_t a)
// arguments: 3
// expect: value -1
struct B { unsigned a : 3; unsigned b : 5; }; int64_t k(int64_t a) { struct B s = {2, 1}; s.b = a; return (s.a - 5) / 2; }

// Bit-fields are changed by /= and ++ and keep their widths.
// signature: int64_t k(int64_t a)
// arguments: 7
// expect: value 6
struct B { unsigned a : 3; unsigned b : 5; }; int64_t k(int64_t a) { struct B s = {2, 1}; s.b = a; s.b /= 2; s.a++; return s.a + s.b; }

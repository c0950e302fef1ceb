// The bit-fields are members of an anonymous struct and keep their widths there.
// signature: int64_t k(int64_t a)
// arguments: 9
// expect: value 7
struct B { struct { unsigned a : 3; int b : 5; }; }; int64_t k(int64_t a) { struct B s = {{2, 1}}; s.b = a; s.b /= 1; s.a <<= 0; return s.b + (s.a - 6) / 2; }

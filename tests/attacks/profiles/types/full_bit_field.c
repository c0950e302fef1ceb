// A bit-field of 32 bits is unsigned and not promoted to int.
// signature: int64_t k(int64_t i)
// arguments: 1
// expect: value 1333333333
struct B { unsigned f : 32; }; int64_t k(int64_t i) { struct B s; s.f = 4000000000u; return s.f / 3; }

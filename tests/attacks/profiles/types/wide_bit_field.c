// A bit-field of 40 bits keeps its wide type in a division.
// signature: int64_t k(int64_t i)
// arguments: 1
// expect: value 45812984491
struct B { uint64_t f : 40; }; int64_t k(int64_t i) { struct B s; s.f = 1LL << 35; return s.f / 3 + (s.f + 1); }

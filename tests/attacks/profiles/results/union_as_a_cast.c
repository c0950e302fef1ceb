// The bits of a double are read as an integer through a union.
// signature: int64_t k(double a)
// arguments: 1.0
// expect: value 1023
int64_t k(double a) { union { double d; int64_t i; } u; u.d = a; return u.i >> 52; }

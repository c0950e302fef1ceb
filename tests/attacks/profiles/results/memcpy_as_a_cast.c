// The bits of a double are read as an integer through a copy.
// signature: int64_t k(double a)
// arguments: 1.0
// expect: value 1023
int64_t k(double a) { int64_t i; memcpy(&i, &a, sizeof i); return i >> 52; }

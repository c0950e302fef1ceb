// The quotient fits the int that the operands are promoted to, so nothing is wrong but the store, which wraps.
// signature: int32_t k(int32_t a, int32_t b)
// arguments: -128, -1
// expect: value -128
int32_t k(int32_t a, int32_t b) { int8_t c = a; c /= b; return c; }

// Unsigned integers wrap, which is no overflow.
// signature: uint32_t k(uint32_t a)
// arguments: 5
// expect: value 25
uint32_t k(uint32_t a) { a -= 10; return a * a; }

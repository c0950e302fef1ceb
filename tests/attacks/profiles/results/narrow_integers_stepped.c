// Steps of narrow integers wrap in their own width, and a bool stays one.
// signature: int32_t k(int32_t a)
// arguments: 5
// expect: value -32756
int32_t k(int32_t a) { int32_t b = a++; int16_t c = 32767; c++; bool d = 0; d++; d++; return b + a + c + d; }

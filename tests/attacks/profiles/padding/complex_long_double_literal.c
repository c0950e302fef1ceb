// A complex literal is an object too.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
#include <complex.h>
int64_t k(int64_t i) { int32_t j; memcpy(&j, (char *)&(long double complex){i} + 12, 4); return 100 / (j + 1); }

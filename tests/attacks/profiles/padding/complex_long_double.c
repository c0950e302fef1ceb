// Both parts have padding.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
#include <complex.h>
int64_t k(int64_t i) { long double complex v = i; int32_t j; memcpy(&j, (char *)&v + 12, 4); return 100 / (j + 1); }

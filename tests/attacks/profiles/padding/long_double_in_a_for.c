// A declaration in a loop's head has to be zeroed too.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 100
int64_t k(int64_t i) { for (long double v = i; v < 4; v++) { int32_t j; memcpy(&j, (char *)&v + 12, 4); return 100 / (j + 1); } return 0; }

// The conversion keeps 54 bits, one more than a double has.
// signature: int64_t k(int64_t a)
// arguments: 9007199254740993
// expect: value 9007199254740993
int64_t k(int64_t a) { long double v = a; return (int64_t)v; }

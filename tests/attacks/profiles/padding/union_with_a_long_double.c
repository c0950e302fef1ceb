// What the mathematicians' library does with a long double.
// signature: int64_t k(int64_t i)
// arguments: 3
// expect: value 1
union L { long double f; struct { uint64_t m; uint16_t se; uint16_t rest; } i; };
int64_t k(int64_t i) { union L u = {i}; return (u.i.se & 0x7fff) - 16383 + u.i.rest; }

// The amount of a constant's shift is negative.
// signature: int64_t k(int64_t i)
// arguments: 1
// safe: contained
// checked: panic shift
int64_t k(int64_t i) { int s = -1; if (1LL << s) return 1; return 2; }

// Its absolute value is no number of its type.
// signature: int64_t k(int64_t a)
// arguments: -(1 << 63)
// safe: value -9223372036854775808
// checked: panic overflow
int64_t k(int64_t a) { return llabs(a); }

// It takes an integer of 64 bits.
// signature: int64_t k(int64_t a)
// arguments: -(1 << 40)
// expect: value 1099511627776
int64_t k(int64_t a) { return labs(a); }

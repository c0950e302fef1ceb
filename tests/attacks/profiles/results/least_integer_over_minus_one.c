// The quotient is no integer of the type, and the processor faults.
// signature: int64_t k(int64_t a, int64_t b)
// arguments: -9223372036854775808, -1
// expect: panic division 1:42
int64_t k(int64_t a, int64_t b) { return a / b + a % b; }

// As with a number for its length: each turn clears the array, and its bytes count.
// signature: int64_t k(int64_t i)
// arguments: 1
// safe: panic interrupted
// checked: panic endless
struct B { char c[250000]; }; int64_t k(int64_t i) { for (;;) { char c[sizeof(struct B)]; c[i & 1023] = (char)i; i += c[i & 511] + 1; } }

// Each step clears a large local array, which takes as long as a thousand plain steps: its bytes count too.
// signature: int64_t k(int64_t i)
// arguments: 1
// safe: panic interrupted
// checked: panic endless
int64_t k(int64_t i) { for (;;) { char c[250000]; c[i & 1023] = (char)i; i += c[i & 511] + 1; } }

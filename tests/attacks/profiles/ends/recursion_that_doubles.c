// Fibonacci's recursion takes ages without ever being deep.
// signature: int64_t k(int64_t i)
// arguments: 90
// safe: panic interrupted
// checked: panic endless
static int64_t h(int64_t x) { return x < 2 ? x : h(x - 1) + h(x - 2); }
int64_t k(int64_t i) { return h(i); }

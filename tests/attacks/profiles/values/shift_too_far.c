// The shift goes as far as the integer is wide.
// signature: int64_t k(int64_t a, int64_t b)
// arguments: 5, 64
// safe: contained
// checked: panic shift 1:43
int64_t k(int64_t a, int64_t b) { return (a << b) + ((int)a >> b); }

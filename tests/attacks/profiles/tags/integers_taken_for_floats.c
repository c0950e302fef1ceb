// The tag is defined again in sizeof with integers, so the division that looks like one of floats divides by zero.
// signature: int64_t k(int64_t i)
// arguments: 0
// expect: contained
struct T { double a, b; };
int64_t k(int64_t i) { int q = sizeof(struct T { int64_t a, b; }); struct T s = {1000, i}; return s.a / s.b; }

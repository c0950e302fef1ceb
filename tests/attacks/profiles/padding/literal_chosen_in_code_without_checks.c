// One of two literals.
// signature: uint64_t k(double x)
// arguments: 1.5
// expect: value 16383
union U { long double l; struct { uint64_t a, b; } s; };
uint64_t k(double x) { return (x > 1 ? (union U){.l = x} : (union U){.l = 3}).s.b; }

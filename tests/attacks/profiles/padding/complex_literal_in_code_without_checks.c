// Both parts of a complex long double have bytes that nobody sets.
// signature: uint64_t k(double x)
// arguments: 1.5
// expect: value 16383
union C { long double _Complex z; struct { uint64_t a, b, c, d; } s; };
uint64_t k(double x) { return ((union C){.z = x}).s.b + ((union C){.z = x}).s.d; }

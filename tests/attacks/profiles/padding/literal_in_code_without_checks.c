// The unset bytes of a literal's long double are zero also where no check is needed; the exponent is set.
// signature: uint64_t k(double x)
// arguments: 1.5
// expect: value 16383
union U { long double l; struct { uint64_t a, b; } s; };
uint64_t k(double x) { return ((union U){.l = x}).s.b; }

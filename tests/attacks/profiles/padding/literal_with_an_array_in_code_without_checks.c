// The last of four long doubles.
// signature: uint64_t k(double x)
// arguments: 1.5
// expect: value 16383
struct Q { long double l[4]; };
union U { struct Q q; uint64_t w[8]; };
uint64_t k(double x) { return ((union U){.q = {{x, x, x, x}}}).w[7]; }

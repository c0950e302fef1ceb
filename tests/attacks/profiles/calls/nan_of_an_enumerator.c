// A constant that is zero is a null pointer, too.
// signature: double k(double d)
// arguments: 1.0
// expect: refused untraceable
double k(double d) { enum { Z }; return d > 0 ? __builtin_nanf(Z) : 1; }

// A zero is a null pointer where a text belongs, and the library reads there.
// signature: double k(double d)
// arguments: 1.0
// expect: refused untraceable
double k(double d) { return __builtin_nan(0); }

// The argument does not fit the integer that the builtin takes.
// signature: double k(double d)
// arguments: -1e200
// safe: value -9.223372036854776e+18
// checked: panic conversion
double k(double d) { return __builtin_expect(d, 1); }

// The argument does not fit the integer that the builtin takes.
// signature: double k(double d)
// arguments: -1e200
// safe: value 0.0
// checked: panic conversion
double k(double d) { return __builtin_popcount(d); }

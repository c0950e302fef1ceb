// The argument does not fit the integer that the builtin takes: its low 32 bits are ones, and so is the largest integer,
// which processors with AVX-512 give.
// signature: double k(double d)
// arguments: 8589934591.0
// safe: value 0.0
// checked: panic conversion
double k(double d) { return __builtin_clz(d); }

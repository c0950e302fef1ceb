// The assumption is false, and the compiler may derive anything from it where it is believed.
// signature: double k(double a)
// arguments: 1.0
// safe: value 1.0
// checked: panic assumption 1:22
double k(double a) { __builtin_assume(0); return a; }

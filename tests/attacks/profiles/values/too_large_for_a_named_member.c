// The value does not fit the integer that it becomes: `safe` has the processor's result.
// signature: double k(double x)
// arguments: 1e300
// safe: value -2147483648.0
// checked: panic conversion
double k(double x) { struct S { int a; int b; } s = {.a = x}; return s.a; }

// The value does not fit the integer that it becomes: `safe` has the processor's result.
// signature: double k(double x)
// arguments: 1e300
// safe: value -2147483648.0
// checked: panic conversion
struct S { int a; int b; };
double k(double x) { return ((struct S){.b = x}).b; }

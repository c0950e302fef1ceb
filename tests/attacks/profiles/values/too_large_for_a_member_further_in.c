// The number behind a value that is a struct is for an integer.
// signature: double k(double d)
// arguments: 1e300
// safe: value -2147483648.0
// checked: panic conversion
struct I { int a; };
struct O { struct I i; int x; };
struct P { struct O o; double y; };
double k(double d) { struct I i = {4}; struct P v = {i, d, 3}; return v.o.x; }

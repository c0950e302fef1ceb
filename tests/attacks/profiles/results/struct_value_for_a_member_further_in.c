// A value that is a struct is for a member of a member without braces.
// signature: double k(double d)
// arguments: 1e300
// expect: value 1e+300
struct I { int a; };
struct O { struct I i; double x; };
struct P { struct O o; int y; };
double k(double d) { struct I i = {4}; struct P v = {i, d, 3}; return v.o.x; }

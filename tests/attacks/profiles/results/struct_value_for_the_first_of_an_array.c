// A value that is a struct is for an element, whose array has no braces.
// signature: double k(double d)
// arguments: 2.5
// expect: value 5302.5
struct I { int a; };
struct W { struct I a[2]; double x; int y; };
double k(double d) { struct I i = {4}, j = {5}; struct W v = {i, j, d, 3}; return v.x + 100 * v.y + 1000 * v.a[1].a; }

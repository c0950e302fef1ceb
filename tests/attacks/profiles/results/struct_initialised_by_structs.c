// A value that is a struct fills a whole member, and its parts fill the parts.
// signature: double k(double x)
// arguments: 2.75
// expect: value 8833.0
double k(double x) { struct V { double a, b; } v = {x, 2 * x}; struct W { int n; struct V v; double z; } w = {1, v, x}, u = {2, v.a, v.b, x * 3}; return w.v.b + 10 * w.z + 100 * u.v.b + 1000 * u.z; }

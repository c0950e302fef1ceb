// A named member of a struct without a name is followed by what is behind that struct.
// signature: double k(double x)
// arguments: 2.75
// expect: value 57.75
double k(double x) { struct S { int a; union { struct { int p; double q; }; char r; }; double e; } s = {.q = x, x * 2}; return s.q + 10 * s.e; }

// The value behind a named one is for the member behind the named one.
// signature: double k(double x)
// arguments: 2.75
// expect: value 2.75
double k(double x) { struct S { int a; int b; double c; } s = {.b = 1, x}; return s.c; }

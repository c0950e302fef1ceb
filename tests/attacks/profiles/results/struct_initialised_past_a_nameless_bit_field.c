// A bit-field without a name gets no value.
// signature: double k(double x)
// arguments: 2.75
// expect: value 2.75
double k(double x) { struct S { int a; int : 5; double c; } s = {1, x}; return s.c; }

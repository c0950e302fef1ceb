// The first member with a name gets the value.
// signature: double k(double x)
// arguments: 2.75
// expect: value 2.75
double k(double x) { union U { int : 5; double c; } s = {x}; return s.c; }

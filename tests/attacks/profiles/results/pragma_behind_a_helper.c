// A pragma outside of functions holds from there on: what stands before it is computed without.
// signature: double k(double a, double b, double c)
// arguments: 1 + 2.0**-30, 1 + 2.0**-30, -((1 + 2.0**-30) * (1 + 2.0**-30))
// expect: value 0.0
static double h(double a, double b, double c) { return a * b + c; }
#pragma STDC FP_CONTRACT ON
double k(double a, double b, double c) { return h(a, b, c); }

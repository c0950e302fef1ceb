// A prototype that says nothing of parameters.
// signature: double k(double x)
// arguments: 2.0
// expect: value 3.0
static double g();
double k(double x) { return g(x); }
static double g(double y) { return y + 1; }

// The name of what a function returns means something else inside of it.
// signature: double k(double x)
// arguments: 2.0
// expect: refused redefined
typedef double T;
static T f(T x) { double T = x + 1; return T; }
double k(double x) { return f(x); }

// The name of what a function returns means something else inside of it.
// signature: double k(double x)
// arguments: 2.0
// expect: value 3.0
typedef double T;
static T f(T x) { double T = x + 1; return T; }
double k(double x) { return f(x); }

// The pragmas around the text have this word.
// signature: double k(double x)
// arguments: 2.0
// expect: value 3.0
static double function(double x) { return x + 1; }
double k(double x) { return function(x); }

// The code generator calls this name by itself, with other arguments.
// signature: double k(double x, int64_t i)
// arguments: 1.0, 0
// expect: refused redefined
static double sincos(double x) { return x; }
double k(double x, int64_t i) { return sin(x) + cos(x) + sincos(x); }

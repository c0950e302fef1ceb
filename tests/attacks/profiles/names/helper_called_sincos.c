// The code generator calls this name by itself, with other arguments; the helper has another one then.
// signature: double k(double x, int64_t i)
// arguments: 1.0, 0
// expect: value 2.381773290676036
static double sincos(double x) { return x; }
double k(double x, int64_t i) { return sin(x) + cos(x) + sincos(x); }

// A struct that cannot be assigned can be returned.
// signature: double k(double x)
// arguments: 2.0
// expect: value 2.0
struct P { const double x, y; };
static struct P f(double a) { struct P p = {a, a}; return p; }
double k(double x) { return f(x).y; }

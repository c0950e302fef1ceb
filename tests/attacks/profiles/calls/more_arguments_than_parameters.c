// A helper is called with one argument too many.
// signature: double k(int64_t i)
// arguments: 20
// expect: refused
static double h(double a) { return a; }
double k(int64_t i){ return h(i, i + 1); }

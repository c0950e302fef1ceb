// The recursion is mutual and goes through a helper that is declared before it is defined.
// signature: double k(int64_t i)
// arguments: 1000000000
// expect: panic recursion
static double g(int64_t d);
static double h(int64_t d) { return d ? g(d - 1) * 2 + 1 : 0; }
static double g(int64_t d) { char b[1000]; b[d % 1000] = 1; return d ? h(d - 1) + b[d % 1000] : 0; }
double k(int64_t i){ return h(i); }

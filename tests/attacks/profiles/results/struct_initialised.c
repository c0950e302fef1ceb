// The struct's initialiser holds fractions, which stay fractions.
// signature: double k(int64_t i)
// arguments: 3
// expect: value 3.75
struct P { double x, y; };
double k(int64_t i){ struct P p = {0.5, i + 0.25}; return p.x + p.y; }

// The struct's initialiser names its fields.
// signature: double k(int64_t i)
// arguments: 3
// expect: value 3.75
struct P { double x, y; };
double k(int64_t i){ struct P p = {.x = 0.5, .y = i + 0.25}; return p.x + p.y; }

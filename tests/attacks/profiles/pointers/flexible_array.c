// The struct's flexible array has no room in a local variable.
// signature: double k(int64_t i)
// arguments: 0
// expect: panic pointer | refused
struct P { int n; int a[]; };
double k(int64_t i){ struct P p; p.n = 1; return p.a[i]; }

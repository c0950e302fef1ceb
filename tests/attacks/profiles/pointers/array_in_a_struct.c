// The index leaves an array in a struct for the field behind it.
// signature: double k(int64_t i)
// arguments: 3
// expect: panic index
struct P { int a[3]; int b; };
double k(int64_t i){ struct P p = {{0}, 5}; return p.a[i]; }

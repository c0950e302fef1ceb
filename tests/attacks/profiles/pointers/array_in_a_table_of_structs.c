// The index leaves an array in a table of structs for the field behind it.
// signature: double k(int64_t i)
// arguments: 2
// expect: panic index
struct P { int a[2]; int b; };
static const struct P t[2] = {{{1, 2}, 3}, {{4, 5}, 6}};
double k(int64_t i){ return t[1].a[i]; }

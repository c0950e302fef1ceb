// The call writes its exponent into a constant table.
// signature: double k(int64_t i)
// arguments: 1
// expect: refused
static const int t[300] = {1, 2, 3};
double k(int64_t i){ return frexp(i, t) + t[i]; }

// The large struct is defined in a helper's parameter and ends with the helper; outside, the small one is meant.
// signature: double k(int64_t i)
// arguments: 268435456
// expect: contained
struct T { char a[2]; };
static int h(struct T { char a[1 << 29]; } *p) { return 1; }
double k(int64_t i){ struct T s; s.a[i] = 1; return s.a[i] + s.a[0]; }

// The large struct is defined in a condition and ends with the if; behind it, the small one is meant.
// signature: double k(int64_t i)
// arguments: 268435456
// expect: contained
struct T { char a[2]; };
double k(int64_t i){ if ((struct T { char a[1 << 29]; } *)0 == 0) { } struct T s; s.a[i] = 1; return s.a[i] + s.a[0]; }

// The large struct is defined in a loop's condition and ends with the loop; behind it, the small one is meant.
// signature: double k(int64_t i)
// arguments: 268435456
// expect: contained
struct T { char a[2]; };
double k(int64_t i){ while ((struct T { char a[1 << 29]; } *)0 != 0) { } struct T s; s.a[i] = 1; return s.a[i] + s.a[0]; }

// The block declares the tag anew, so the pointer leads to the small struct and not to the large one outside.
// signature: double k(int64_t i)
// arguments: 268435456
// expect: contained
struct T { char a[1 << 29]; };
double k(int64_t i){ struct T; struct T *p; struct T { char a[2]; } s; p = &s; p->a[i] = 1; return p->a[i] + p->a[0]; }

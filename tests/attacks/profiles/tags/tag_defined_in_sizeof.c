// The tag is defined inside of sizeof, where clang sees a definition and a reader of declarations does not.
// signature: double k(int64_t i)
// arguments: 268435456
// expect: contained
struct T { char a[1 << 29]; };
double k(int64_t i){ int q = sizeof(struct T { char a[2]; }); struct T s; s.a[i] = 1; return s.a[i] + s.a[0]; }

// A local hides the enumerator that is the length of an array in a struct.
// signature: double k(int64_t i)
// arguments: 268435456
// expect: contained
enum { N = 4 }; struct T { int a[N]; };
double k(int64_t i){ struct T s; int64_t N = 1LL << 40; s.a[i] = 1; return s.a[i] + s.a[0]; }

// A local hides the enumerator that is the length of a local array.
// signature: double k(int64_t i)
// arguments: 268435456
// expect: contained
enum { N = 4 };
double k(int64_t i){ int a[N]; { int64_t N = 1LL << 40; a[i] = 1; return a[i] + a[0]; } }

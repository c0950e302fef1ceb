// clang would fold it in an assertion, but not where the array is declared.
// signature: double k(int64_t n)
// arguments: 3
// expect: refused compiler
double k(int64_t n) { char a[(int)(1.5 * 400) + 0 * (1.0 ? 2 : 3)]; a[n] = 1; return a[n]; }

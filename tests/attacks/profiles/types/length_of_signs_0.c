// The comparison with sizeof is unsigned, so the length is 2 and not 3000002.
// signature: double k(int64_t i)
// arguments: 5
// expect: refused | panic index | panic length | panic stack
enum { A = -1 }; double k(int64_t i) { volatile double a[(-1 < sizeof(int)) * 3000000 + 2]; for (int64_t j = 0; j < 3000000; j++) a[j] = j; return a[(int64_t)i]; }

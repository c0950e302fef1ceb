// The comparison with a cast to unsigned is unsigned, so the length is another one.
// signature: double k(int64_t i)
// arguments: 5
// expect: refused | panic index | panic length | panic stack
enum { A = -1 }; double k(int64_t i) { volatile double a[(unsigned)1 > -1 ? 3000000 : 2]; for (int64_t j = 0; j < 3000000; j++) a[j] = j; return a[(int64_t)i]; }

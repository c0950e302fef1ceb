// The remainder by an unsigned number is unsigned, so the length is another one.
// signature: double k(int64_t i)
// arguments: 5
// expect: refused | panic index | panic length | panic stack
enum { A = -1 }; double k(int64_t i) { volatile double a[-3 % 3u == 0 ? 3000000 : 2]; for (int64_t j = 0; j < 3000000; j++) a[j] = j; return a[(int64_t)i]; }

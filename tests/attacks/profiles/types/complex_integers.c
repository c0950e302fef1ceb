// Complex integers are an extension whose size a table of types does not know.
// signature: double k(int64_t i)
// arguments: 5
// expect: refused type
double k(int64_t i) { volatile char a[sizeof(_Complex int) * 12500]; for (int64_t j = 0; j < 400000; j++) a[j] = j; return a[(int64_t)i]; }

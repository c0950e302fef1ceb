// The builtin is undefined at zero for clang and has to give what the table of functions promises.
// signature: int k(int a)
// arguments: 0
// expect: value 1
int k(int a) { return __builtin_clz(a) < 33 && __builtin_ctz(a) < 33; }

// The library reads the text of a NaN in a local array that has no end.
// signature: double k(int64_t i)
// arguments: 1
// expect: refused untraceable
double k(int64_t i) { char t[2] = {'1', '2'}; return __builtin_nan(t); }

// The pointer to a string is not const, as many write it.
// signature: double k(int64_t i)
// arguments: 2
// expect: value 108.0
double k(int64_t i){ char *p = "hello"; return p[i]; }

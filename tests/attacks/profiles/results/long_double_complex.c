// The type is the largest that there is, and its division one of floats.
// signature: double k(int64_t i)
// arguments: 7
// expect: value 3.5 | refused
double k(int64_t i){ long double _Complex v = i; v = v / 2; return (double)v; }

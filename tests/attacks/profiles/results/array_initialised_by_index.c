// The array's initialiser names an index.
// signature: double k(int64_t i)
// arguments: 3
// expect: value 3.5
double k(int64_t i){ double p[4] = {[1] = i + 0.5}; return p[1]; }

// The array is a compound literal without a name.
// signature: double k(int64_t i)
// arguments: 2
// expect: value 3.0
double k(int64_t i){ return (double[3]){1, 2, 3}[i]; }

// The length of a local array is negative.
// signature: double k(int64_t i)
// arguments: -3
// expect: panic length 1:31
double k(int64_t i){ double t[i]; t[0] = 1; return t[0]; }

// The local array takes 8 MiB, more than the stack may give.
// signature: double k(int64_t i)
// arguments: 1048576
// expect: panic stack
double k(int64_t i){ double tt[i]; tt[0] = 1; return tt[0]; }

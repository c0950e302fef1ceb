// The variable grows after the typedef was evaluated, so the array has its old length.
// signature: double k(int64_t i)
// arguments: 268435456
// expect: contained
double k(int64_t i){ int64_t m = 4; typedef double row[m]; m = 1LL << 40; row a; a[i] = 1; return a[i] + a[0]; }

// The length of 64 MiB stands in a typedef and not at the array that takes the stack.
// signature: double k(int64_t i)
// arguments: 67108864
// expect: contained
double k(int64_t i){ typedef char row[i]; row a; for (int64_t j = 0; j < i; j += 4096) a[j] = 1; return a[0]; }

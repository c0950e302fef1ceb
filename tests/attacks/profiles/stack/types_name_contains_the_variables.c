// The array's type is named like another type with letters in front; its elements have 4096 bytes and not one.
// signature: double k(int64_t i)
// arguments: 100000
// expect: contained
typedef struct { char b[4096]; } bigsmall; typedef char small;
double k(int64_t i){ bigsmall big[i]; for (int64_t j = 0; j < i; j++) big[j].b[0] = 1; return big[i - 1].b[0]; }

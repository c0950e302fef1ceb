// The length is the address of a string, which is a constant for the linker only, and far too large for the stack.
// signature: double k(int64_t i)
// arguments: 5
// expect: contained
double k(int64_t i){ char a[(int64_t)"abc" & 0xfffffff]; for (int64_t j = 0; j < 0xf00000; j += 4096) a[j] = j; return a[i]; }

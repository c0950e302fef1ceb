// The recursion goes deep with frames whose size is known at run time only.
// signature: double k(int64_t i)
// arguments: 1000000000
// expect: panic stack | panic recursion
static double h(int64_t d) { double yy[d % 100 + 1]; yy[0] = d; return d ? h(d - 1) + yy[0] : 0; }
double k(int64_t i){ return h(i); }

// The recursion goes a thousand million levels deep, each with 800 bytes.
// signature: double k(int64_t i)
// arguments: 1000000000
// expect: panic recursion 1:15
static double h(int64_t d) { double y[100]; y[d % 100] = d; return d ? h(d - 1) + y[d % 100] : 0; }
double k(int64_t i){ return h(i); }

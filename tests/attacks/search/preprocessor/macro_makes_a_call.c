// macro makes a call
// kernel: dot
// expect: status=REJECTED rule=call line=2
#define G(a, b) a ## b
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 14; return G(sys, tem)("true"); }

// macro makes a pragma
// kernel: dot
// expect: status=REJECTED rule=pragma line=2
#define G(a, b) a ## b
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 17; G(_Pra, gma)("once") return 0; }

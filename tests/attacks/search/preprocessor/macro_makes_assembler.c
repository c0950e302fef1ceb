// macro makes assembler
// kernel: dot
// expect: status=REJECTED rule=assembler line=2
#define G(a, b) a ## b
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 15; G(as, m)("nop"); return 0; }

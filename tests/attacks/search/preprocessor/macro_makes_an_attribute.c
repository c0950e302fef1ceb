// macro makes an attribute
// kernel: dot
// expect: status=REJECTED rule=attribute line=4
#define A __attri
#define G(a, b) a ## b
#define H(a, b) G(a, b)
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 16; int H(A, bute__)((aligned(1))) k = 0; return k; }

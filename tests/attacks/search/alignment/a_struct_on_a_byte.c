// a struct on a byte
// kernel: dot
// expect: status=PANICKED rule=alignment line=2
struct P { double a; };
double dot(int64_t n, const double x[n], const double y[n]) { volatile int row = 184; char b[32] = {0}; struct P *p = (struct P *)(b + 3); return p->a; }

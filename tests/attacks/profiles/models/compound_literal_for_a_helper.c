// The helper's argument is the address of a compound literal.
// signature: double k(int64_t i)
// arguments: 2
// expect: value 3.0
struct P { double x, y; };
static double h(const struct P *p) { return p->x + p->y; }
double k(int64_t i){ return h(&(struct P){1, i}); }

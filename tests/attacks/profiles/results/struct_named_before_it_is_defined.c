// The typedef names the struct before its fields are known.
// signature: double k(int64_t i)
// arguments: 3
// expect: value 3.0
typedef struct P P;
struct P { double x; double y; };
double k(int64_t i){ P p; p.x = 3; p.y = i; return p.x / 2 + p.y / 2; }

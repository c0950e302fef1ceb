// The frame is 12 MiB large without any array access that a bound could see.
// signature: double k(int64_t n, double x[n], int64_t i)
// arguments: np.ones(4), 1
// expect: refused untraceable
struct S { double a; char c[12 << 20]; double b; }; double k(int64_t n, double x[n], int64_t i) { volatile struct S s; s.a = i; s.b = i; return s.a + s.b; }

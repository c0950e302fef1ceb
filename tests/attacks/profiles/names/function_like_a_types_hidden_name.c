// A function that returns a struct, and another one named like its type was.
// signature: double k(double x)
// arguments: 1.0
// expect: value 5.0
struct S { double a, b; };
static struct S f(double x) { struct S s; s.a = x; s.b = 2; return s; }
static int f_t(int x) { return x + 1; }
double k(double x) { return f(x).a + f_t(3); }

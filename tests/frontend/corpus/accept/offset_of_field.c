// signature: scalar
// call: (1.0, 2.0) -> 24.0
struct S { char a; int b; struct { int e, d; } c[2]; };
double scalar(double x, double y)
{
    return offsetof(struct S, b) + offsetof(struct S, c[1].d);
}

// expect: rule=compiler line=8 column=12 stage=lower in=canonical
// signature: scalar
struct S { double a; };
double scalar(double x, double y)
{
    struct S s = {x};
    return s.b;
}

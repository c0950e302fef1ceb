// expect: rule=compiler line=7 column=14 stage=lower
// signature: scalar
struct S { double a; };
double scalar(double x, double y)
{
    struct S s = {x};
    return s.b;
}

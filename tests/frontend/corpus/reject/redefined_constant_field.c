// expect: rule=redefined line=3 column=19 stage=check
// signature: scalar
struct S { double NAN; };
double scalar(double x, double y)
{
    return x;
}

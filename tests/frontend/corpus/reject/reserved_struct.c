// expect: rule=reserved line=3 column=8 stage=check
// signature: scalar
struct _Pair { double a; };
double scalar(double x, double y)
{
    return x;
}

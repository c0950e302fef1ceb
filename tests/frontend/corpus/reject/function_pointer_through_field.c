// expect: rule=function-pointer line=6 stage=check
// signature: scalar
double scalar(double x, double y)
{
    struct { int f; } s = {0};
    return s.f(x);
}

// expect: rule=type line=5 stage=check
// signature: scalar
double scalar(double x, double y)
{
    return *(_Atomic int *)&x;
}

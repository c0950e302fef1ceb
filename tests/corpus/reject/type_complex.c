// expect: rule=type line=5 stage=check
// signature: scalar
double scalar(double x, double y)
{
    double _Complex z = x;
    return x;
}

// expect: rule=redefined line=5 column=12 stage=check
// signature: scalar
double scalar(double x, double y)
{
    double NULL = 0;
    return x;
}

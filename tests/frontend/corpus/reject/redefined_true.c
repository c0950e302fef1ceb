// expect: rule=redefined line=5 column=9 stage=check
// signature: scalar
double scalar(double x, double y)
{
    int true = 0;
    return x;
}

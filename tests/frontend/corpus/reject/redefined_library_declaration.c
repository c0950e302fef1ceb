// expect: rule=redefined line=3 column=8 stage=check
// signature: scalar
double sqrt(double x);
double scalar(double x, double y)
{
    return sqrt(x);
}

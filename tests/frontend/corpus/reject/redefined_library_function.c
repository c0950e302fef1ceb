// expect: rule=redefined line=3 column=15 stage=check
// signature: scalar
static double sqrt(double x) { return x; }
double scalar(double x, double y)
{
    return x;
}

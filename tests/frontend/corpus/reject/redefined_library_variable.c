// expect: rule=redefined line=3 column=21 stage=check
// signature: scalar
static const double exp = 2.7;
double scalar(double x, double y)
{
    return x;
}

// expect: rule=mutable-static line=3 column=21 stage=check
// signature: scalar
static const double *p = 0;
double scalar(double x, double y)
{
    return p == 0;
}

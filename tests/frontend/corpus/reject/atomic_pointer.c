// expect: rule=type line=5 stage=check
// signature: scalar
double scalar(double x, double y)
{
    double *_Atomic p = 0;
    return p == 0;
}

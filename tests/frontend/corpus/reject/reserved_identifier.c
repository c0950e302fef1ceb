// expect: rule=reserved line=6 column=12 stage=check
// expect: rule=reserved line=6 column=23 stage=check
// signature: scalar
double scalar(double x, double y)
{
    return __LINE__ + __func__[0];
}

// expect: rule=function-pointer line=6 column=22 stage=check
// expect: rule=function-pointer line=6 stage=check
// signature: scalar
double scalar(double x, double y)
{
    return ((double (*)(double))0)(x);
}

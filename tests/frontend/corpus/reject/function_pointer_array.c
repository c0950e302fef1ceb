// expect: rule=function-pointer line=5 column=13 stage=check
// signature: scalar
double scalar(double x, double y)
{
    double (*f[2])(double) = {0, 0};
    return x;
}

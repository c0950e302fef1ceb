// expect: rule=function-pointer line=3 column=29 stage=check
// signature: scalar
static double apply(double (*f)(double), double x) { return x; }
double scalar(double x, double y)
{
    return x;
}

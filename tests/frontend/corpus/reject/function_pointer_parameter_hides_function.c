// expect: rule=function-pointer line=3 column=38 stage=check
// signature: scalar
static double h(double exp) { return exp(1.0); }
double scalar(double x, double y)
{
    return h(x);
}

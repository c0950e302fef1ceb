// expect: rule=function-pointer line=7 column=12 stage=check
// signature: scalar
static double h(double x) { return x; }
double scalar(double x, double y)
{
    double h = 1.0;
    return h(x);
}

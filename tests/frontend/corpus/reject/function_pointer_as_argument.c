// expect: rule=function-pointer line=6 column=28 stage=check
// signature: scalar
static double h(double x) { return x; }
double scalar(double x, double y)
{
    return h((double)(long)h);
}

// expect: rule=function-pointer line=6 column=22 stage=check
// signature: scalar
static double h(double x) { return x; }
double scalar(double x, double y)
{
    const void *p = &h;
    return p != 0;
}

// expect: rule=redefined line=4 column=15 stage=check
// signature: scalar
static double h(double x) { return x; }
static double h(double x) { return -x; }
double scalar(double x, double y)
{
    return h(x);
}

// expect: rule=syntax line=3 column=15 stage=check
// signature: scalar
static double h(x)
    double x;
{
    return x;
}
double scalar(double x, double y)
{
    return h(x);
}

// expect: rule=extern line=4 column=15 stage=check
// expect: rule=call line=7 column=12 stage=check
// signature: scalar
static double h(double);
double scalar(double x, double y)
{
    return h(x);
}

// expect: rule=mutable-static line=3 column=15 stage=check
// signature: scalar
static double last = 0.0;
double scalar(double x, double y)
{
    return last = x;
}

// expect: rule=function-pointer line=6 column=12 stage=check
// signature: scalar
double scalar(double x, double y)
{
    enum { floor = 3 };
    return floor(x);
}

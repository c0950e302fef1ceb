// expect: rule=function-pointer line=5 column=14 stage=check
// signature: scalar
double scalar(double x, double y)
{
    return (*sqrt)(x);
}

// expect: rule=function-pointer line=5 column=12 stage=check
// signature: scalar
double scalar(double x, double y)
{
    return sqrt != 0;
}

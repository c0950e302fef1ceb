// expect: rule=function-pointer line=5 column=35 stage=check
// signature: scalar
double scalar(double x, double y)
{
    const void *p = (const void *)sqrt;
    return p != 0;
}

// expect: rule=reserved line=6 column=1 stage=check
// signature: scalar
double scalar(double x, double y)
{
    goto __out;
__out:
    return x;
}

// expect: rule=directive line=3 column=1 stage=read
// signature: scalar
#warning careful
double scalar(double x, double y)
{
    return x;
}

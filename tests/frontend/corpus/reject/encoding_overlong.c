// expect: rule=encoding line=5 column=8 stage=read
// signature: scalar
double scalar(double x, double y)
{
    // À¯
    return x;
}

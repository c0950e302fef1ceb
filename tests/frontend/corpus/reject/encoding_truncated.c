// expect: rule=encoding line=5 column=13 stage=read
// signature: scalar
double scalar(double x, double y)
{
    // euro â‚
    return x;
}

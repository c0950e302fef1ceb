// expect: rule=encoding line=5 column=11 stage=read
// signature: scalar
double scalar(double x, double y)
{
    // café
    return x;
}

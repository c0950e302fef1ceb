// expect: rule=syntax line=6 column=5 stage=parse
// signature: scalar
double scalar(double x, double y)
{
    double z = x
    return z;
}

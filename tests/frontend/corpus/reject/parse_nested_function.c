// expect: rule=syntax line=5 column=24 stage=parse
// signature: scalar
double scalar(double x, double y)
{
    double g(double z) { return z; }
    return g(x);
}

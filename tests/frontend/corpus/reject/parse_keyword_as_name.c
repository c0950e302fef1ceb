// expect: rule=syntax line=5 column=5 stage=parse
// signature: scalar
double scalar(double x, double y)
{
    double register = x;
    return x;
}

// expect: rule=generic line=5 column=12 stage=check
// signature: scalar
double scalar(double x, double y)
{
    return _Generic(x, double: 1, default: 2);
}

// expect: rule=alignment line=5 column=25 stage=check
// signature: scalar
double scalar(double x, double y)
{
    _Alignas(64) double z = x;
    return z;
}

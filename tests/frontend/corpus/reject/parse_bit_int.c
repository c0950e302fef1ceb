// expect: rule=syntax line=5 column=16 stage=parse
// signature: scalar
double scalar(double x, double y)
{
    _BitInt(7) z = 3;
    return z;
}

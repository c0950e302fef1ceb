// expect: rule=syntax line=5 column=17 stage=parse
// signature: scalar
double scalar(double x, double y)
{
    __auto_type z = x;
    return z;
}

// expect: rule=syntax line=5 column=15 stage=parse
// signature: scalar
double scalar(double x, double y)
{
    typeof(x) z = x;
    return z;
}

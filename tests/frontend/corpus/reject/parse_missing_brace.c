// expect: rule=syntax stage=parse
// signature: scalar
double scalar(double x, double y)
{
    if (x > y) {
        return x;
    return y;
}

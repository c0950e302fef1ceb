// signature: scalar
// call: (1.0, 3.0) -> 10.0
static double apply(double pow) { return pow; }
double scalar(double x, double y)
{
    return apply(x) + pow(y, 2.0);
}

// signature: scalar
// call: (7.0, 2.0) -> 3.0
double scalar(double x, double y)
{
    { double sqrt = y; x += sqrt; }
    return sqrt(x);
}

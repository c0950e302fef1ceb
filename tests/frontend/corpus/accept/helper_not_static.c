// signature: scalar
// call: (3.0, 2.0) -> 7.0
double square(double v) { return v * v; }
double scalar(double x, double y)
{
    return square(x) - y;
}

// signature: scalar
// call: (3.0, 2.0) -> 5.0
static double square(double v) { return v * v; }
double scalar(double x, double y)
{
    return square(x) - square(y);
}

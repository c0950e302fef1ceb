// signature: scalar
// call: (3.0, 4.0) -> 7.0
// call: (5000.0, 4.0) -> 5000.0
double scalar(double, double);
static double twice(double v) { return v > 1e3 ? v : scalar(v, v); }
double scalar(double x, double y)
{
    return x > 10.0 ? twice(x) : x + y;
}

// signature: scalar
// call: (1.0, 2.0) -> 3.0
double scalar(double x, double y)
{
    return x + y;
}

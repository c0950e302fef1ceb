// signature: scalar
// call: (0.5, 0.0) -> 2.0
double scalar(double x, double y)
{
    bool a = x, b = false;
    _Bool c = 2;
    return a + b + c;
}

// signature: scalar
// call: (2.0, 0.0) -> 5.0
static double exp10(double a) { return a + 1.0; }
double scalar(double x, double y)
{
    return exp10(2.0) + x;
}

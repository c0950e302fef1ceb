// signature: scalar
// call: (2.0, 0.5) -> 4.5
static const double digits[] = {3.0, 1.0, 4.0, 1.0};
double scalar(double x, double y)
{
    return digits[(int)x] + y;
}

// signature: scalar
// call: (0.5, 0.0) -> 3.5
typedef void nothing;
static double three(nothing)
{
    return 3;
}
double scalar(double x, double y)
{
    return x + three();
}

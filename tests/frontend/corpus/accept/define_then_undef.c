// signature: scalar
// call: (2.0, 3.0) -> 4.0
#define A 1
#undef A
#define A 2
double scalar(double x, double y)
{
    return A * x;
}

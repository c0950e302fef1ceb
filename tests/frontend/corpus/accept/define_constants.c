// signature: scalar
// call: (2.0, 0.0) -> 6.0
#define N 3
#define TWO_PI (2 * M_PI)
double scalar(double x, double y)
{
    return N * x + TWO_PI * 0;
}

// signature: scalar
// call: (3.0, 2.0) -> 11.0
static int three(void) { return 3; }
double scalar(double x, double y)
{
    return three() * x + y;
}

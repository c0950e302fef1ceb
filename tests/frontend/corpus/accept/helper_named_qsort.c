// signature: scalar
// call: (2.0, 3.0) -> -1.0
static double qsort(double a, double b) { return a - b; }
double scalar(double x, double y)
{
    return qsort(x, y);
}

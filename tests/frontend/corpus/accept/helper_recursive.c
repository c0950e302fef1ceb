// signature: scalar
// call: (5.0, 0.5) -> 120.5
static int64_t factorial(int64_t n) { return n < 2 ? 1 : n * factorial(n - 1); }
double scalar(double x, double y)
{
    return factorial((int64_t)x) + y;
}

// signature: scalar
// call: (2.0, 3.0) -> 16.0
#define SQUARE(a) ((a) * (a))
#define MAX(a, b) \
    ((a) > (b) ? (a) : (b))
#define CAT(a, b) a##b
double scalar(double x, double y)
{
    return MAX(SQUARE(x), y) + CAT(1, 2);
}

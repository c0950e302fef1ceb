// signature: scalar
// call: (2.0, 3.0) -> 2.0
#include <limits.h>
#include <math.h>
#if INT_MAX >= 2147483647 && defined(INFINITY) && LONG_MAX > INT_MAX
double scalar(double x, double y)
{
    return x;
}
#else
double scalar(double x, double y)
{
    return y;
}
#endif

// signature: scalar
// call: (2.0, 3.0) -> 2.0
#include <limits.h>
#include <math.h>
#if INT_MAX >= 2147483647 && LONG_MAX > INT_MAX && UINT8_MAX == 255 && INT_MIN < 0
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

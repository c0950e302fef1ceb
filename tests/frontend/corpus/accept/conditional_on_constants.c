// signature: scalar
// call: (2.0, 3.0) -> 2.0
#include <math.h>
#include <float.h>
#if defined(INFINITY) && defined(DBL_EPSILON)
#ifdef M_PI
double scalar(double x, double y)
{
    return x;
}
#endif
#else
double scalar(double x, double y)
{
    return y;
}
#endif

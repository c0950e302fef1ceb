// expect: rule=include line=4 column=1 stage=read
// signature: scalar
#if 0
#include "a.h"
#endif
double scalar(double x, double y)
{
    return x;
}

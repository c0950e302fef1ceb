// expect: rule=directive line=3 column=1 stage=read
// signature: scalar
#include_next <math.h>
double scalar(double x, double y)
{
    return x;
}

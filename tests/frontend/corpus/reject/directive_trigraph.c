// expect: rule=directive line=3 column=1 stage=read
// signature: scalar
??=include "a.h"
double scalar(double x, double y)
{
    return x;
}

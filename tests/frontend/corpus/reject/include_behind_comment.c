// expect: rule=include line=3 column=11 stage=read
// signature: scalar
/* one */ # /* two */ include "a.h"
double scalar(double x, double y)
{
    return x;
}

// expect: rule=include line=3 column=1 stage=read
// signature: scalar
#inc\
lude "a.h"
double scalar(double x, double y)
{
    return x;
}

// expect: rule=directive line=3 column=1 stage=read
// signature: scalar
#import "a.h"
double scalar(double x, double y)
{
    return x;
}

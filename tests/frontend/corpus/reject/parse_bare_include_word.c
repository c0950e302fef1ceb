// expect: rule=syntax line=7 column=1 stage=parse
// signature: scalar
double scalar(double x, double y)
{
    return x;
}
include <math.h>
}

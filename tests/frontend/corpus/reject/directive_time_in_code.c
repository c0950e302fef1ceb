// expect: rule=directive|reserved line=* stage=*
// signature: scalar
#define ONE 1
double scalar(double x, double y)
{
    return __TIME__[ONE];
}

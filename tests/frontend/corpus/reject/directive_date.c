// expect: rule=directive line=3 column=15 stage=read
// signature: scalar
#define BUILT __TIME__
double scalar(double x, double y)
{
    return BUILT[0];
}

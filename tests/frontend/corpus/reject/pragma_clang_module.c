// expect: rule=pragma line=3 column=1 stage=read
// signature: scalar
#pragma clang module build evil
double scalar(double x, double y)
{
    return x;
}

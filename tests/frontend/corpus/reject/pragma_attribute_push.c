// expect: rule=pragma line=4 column=1 stage=read
// expect: rule=attribute line=4 column=30 stage=check
// signature: scalar
#pragma clang attribute push(__attribute__((constructor)), apply_to=function)
double scalar(double x, double y)
{
    return x;
}

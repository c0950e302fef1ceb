// expect: rule=pragma line=3 column=1 stage=read
// signature: scalar
#pragma clang loop unroll_count(0)
double scalar(double x, double y)
{
    return x;
}

// expect: rule=pragma line=4 column=1 stage=check
// expect: rule=pragma line=4 column=8 stage=check
// signature: scalar
_Pragma("once")
double scalar(double x, double y)
{
    return x;
}

// expect: rule=type line=5 column=17 stage=check
// signature: scalar
double scalar(double x, double y)
{
    _Atomic int n = 0;
    return n;
}

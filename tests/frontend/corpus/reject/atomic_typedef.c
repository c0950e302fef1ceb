// expect: rule=type line=3 column=22 stage=check
// signature: scalar
typedef _Atomic long counter;
double scalar(double x, double y)
{
    counter n = 0;
    return n;
}

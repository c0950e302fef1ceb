// expect: rule=redefined line=3 column=8 stage=check
// signature: scalar
enum { INT_MAX = 3 };
double scalar(double x, double y)
{
    return x;
}

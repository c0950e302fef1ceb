// expect: rule=redefined|compiler line=* stage=*
// signature: scalar
typedef int int64_t;
double scalar(double x, double y)
{
    return x;
}

// expect: rule=reserved line=3 column=16 stage=check
// signature: scalar
typedef double __real;
double scalar(double x, double y)
{
    return x;
}

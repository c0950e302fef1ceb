// expect: rule=function-pointer line=3 column=22 stage=check
// signature: scalar
struct ops { double (*f)(double); };
double scalar(double x, double y)
{
    return x;
}

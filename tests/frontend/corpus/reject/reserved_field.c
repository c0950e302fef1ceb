// expect: rule=reserved line=3 column=22 stage=check
// signature: scalar
struct pair { double __a; };
double scalar(double x, double y)
{
    return x;
}

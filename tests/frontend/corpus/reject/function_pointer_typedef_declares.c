// expect: rule=function-pointer line=3 column=16 stage=check
// signature: scalar
typedef double unary(double);
double scalar(double x, double y)
{
    unary sqrt;
    return (double)(long)sqrt;
}

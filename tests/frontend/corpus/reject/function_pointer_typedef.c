// expect: rule=function-pointer line=3 column=17 stage=check
// signature: scalar
typedef double (*unary)(double);
double scalar(double x, double y)
{
    return x;
}

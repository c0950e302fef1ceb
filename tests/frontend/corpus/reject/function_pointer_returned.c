// expect: rule=function-pointer line=3 column=16 stage=check
// signature: scalar
static double (*pick(void))(double) { return 0; }
double scalar(double x, double y)
{
    return x;
}

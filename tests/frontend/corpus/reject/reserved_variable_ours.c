// expect: rule=reserved line=5 column=12 stage=check
// signature: scalar
double scalar(double x, double y)
{
    double sj_fuel = x;
    return x;
}
